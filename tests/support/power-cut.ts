// What a disk keeps of a folder when the power goes, at its worst: of each file what it held when it was last synced,
// and names as they were when file or folder were last synced. (Linux: it asks /proc which file is meant.)
import {
	fstatSync,
	fsyncSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	statSync,
	writeFileSync
} from 'node:fs';
import path from 'node:path';

export type PowerCut = {
	/** To be called instead of fsync. */
	sync: (fd: number) => void;
	/** Writes what would be left of the folder. */
	leaveBehind: (target: string) => void;
	syncs: () => number;
};

/** All that is in `folder` now counts as safe. */
export function watchSyncs(folder: string): PowerCut {
	const names = new Map<string, number>();
	const contents = new Map<number, Buffer>();
	let syncs = 0;

	function keepFile(file: string): void {
		const { ino } = statSync(file);
		names.set(file, ino);
		contents.set(ino, readFileSync(file));
	}

	function keepNames(directory: string): void {
		const present = new Set(readdirSync(directory).map((name) => path.join(directory, name)));
		for (const file of names.keys()) {
			if (path.dirname(file) === directory && !present.has(file)) names.delete(file);
		}
		for (const file of present) {
			const info = statSync(file);
			if (info.isFile()) names.set(file, info.ino);
		}
	}

	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		if (entry.isFile()) keepFile(path.join(entry.parentPath, entry.name));
	}
	return {
		sync(fd) {
			fsyncSync(fd);
			syncs++;
			const file = readlinkSync(`/proc/self/fd/${fd}`);
			if (fstatSync(fd).isDirectory()) keepNames(file);
			else keepFile(file);
		},
		leaveBehind(target) {
			rmSync(target, { recursive: true, force: true });
			for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
				if (entry.isDirectory())
					mkdirSync(path.join(target, path.relative(folder, path.join(entry.parentPath, entry.name))), {
						recursive: true
					});
			}
			for (const [file, inode] of names) {
				writeFileSync(path.join(target, path.relative(folder, file)), contents.get(inode) ?? '');
			}
		},
		syncs: () => syncs
	};
}
