// What has ended since the last look: said once to those who listen, and the moment at which search is offered.
import { isTerminal, type Status, type StoredFile } from '#lib/shared/files.ts';
import { count, failureOf } from './words.ts';

/** Remembers every file's status; each call tells the files that ended since the one before. */
export function watchEndings(): (files: readonly StoredFile[]) => StoredFile[] {
	let before: ReadonlyMap<string, Status> | undefined;
	return (files) => {
		const ended = files.filter(({ id, status }) => {
			const known = before?.get(id);
			return known !== undefined && !isTerminal(known) && isTerminal(status);
		});
		before = new Map(files.map(({ id, status }) => [id, status]));
		return ended;
	};
}

/** One sentence for any number of endings. */
export function endingsLine(ended: readonly StoredFile[]): string {
	const [only] = ended;
	if (only && ended.length === 1) return endingLine(only);
	const done = ended.filter(({ status }) => status === 'completed').length;
	const rest = ended.length - done;
	const parts = [
		done > 0 ? `${count(done, 'file')} ${done === 1 ? 'is' : 'are'} searchable` : '',
		rest > 0 ? `${count(rest, 'file')} stopped` : ''
	];
	return `${parts.filter(Boolean).join(', ')}.`;
}

function endingLine(file: StoredFile): string {
	if (file.status === 'completed')
		return `${file.filename} is ${file.chunk_count === 0 ? 'kept' : 'searchable'}.`;
	if (file.status === 'cancelled') return `${file.filename} was cancelled.`;
	return `${file.filename} failed. ${failureOf(file).happened}`;
}
