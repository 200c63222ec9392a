// Names inside an archive that unpack on every system: nothing that leads out of the folder, nothing that Windows
// refuses, and never two that are the same on a disk that ignores case.
import path from 'node:path';

const refused = /[<>:"|?*\\/\p{Cc}]/gu;
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** One per archive: it remembers what it gave away. */
export function createZipNames(): (filename: string) => string {
	const taken = new Set<string>();
	return (filename) => {
		const safe = safeName(filename);
		const { name, ext } = path.posix.parse(safe);
		for (let n = 1; ; n++) {
			const candidate = n === 1 ? safe : `${name} (${n})${ext}`;
			const folded = candidate.normalize('NFC').toLowerCase();
			if (taken.has(folded)) continue;
			taken.add(folded);
			return candidate;
		}
	};
}

function safeName(filename: string): string {
	const bare = filename.replace(refused, '_').replace(/[. ]+$/, '');
	if (bare === '') return 'untitled';
	return devices.test(bare) ? `_${bare}` : bare;
}
