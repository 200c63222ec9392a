// Where a long name may be cut when there is no room for it: before its last characters, which hold its ending.

const shown = 20;
const kept = 8;
const end = 64;
/** Written from right to left the halves would stand in the wrong order. */
const fromRight = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const characters = new Intl.Segmenter();

/** Not of a name so short that it has room nearly everywhere. */
export function halvesOf(name: string): [string, string] | undefined {
	if (name.length <= shown || fromRight.test(name)) return undefined;
	// Of a name as long as a system allows, only the end is gone through; what it begins with may be torn by that.
	const [, ...near] = characters.segment(name.slice(-end));
	const tail = near.slice(-kept).map(({ segment }) => segment);
	const at = name.length - tail.join('').length;
	return [name.slice(0, at), name.slice(at)];
}
