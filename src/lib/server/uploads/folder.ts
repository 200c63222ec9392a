// The folder that a file was in at its sender's, as a path of names. It is text: shown, searched, never part of a path
// on the server.
import { limits } from '#lib/shared/limits.ts';
import { toShownName } from './filename.ts';

/** `undefined`: not a path of folders, or a longer or deeper one than is kept. */
export function toFolder(given: string): string | undefined {
	if (given === '') return '';
	// Absolute paths and those of Windows say where something lies on a machine, which is nobody's business.
	if (/^\/|\\|^\p{L}:/u.test(given)) return undefined;
	const names = given.replace(/\/$/, '').split('/').map(toShownName);
	const isPath = names.every((name) => !/^\.*$/.test(name)) && names.length <= limits.maxFolderDepth;
	const folder = names.join('/');
	return isPath && [...folder].length <= limits.maxFolderLength ? folder : undefined;
}

/** Of a name that may be a path, as browsers send it for a chosen folder. */
export function folderOf(filename: string | undefined): string {
	const end = filename?.lastIndexOf('/') ?? -1;
	return filename && end > 0 ? (toFolder(filename.slice(0, end)) ?? '') : '';
}
