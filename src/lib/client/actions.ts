// What can be done with a file in its present state, in the order in which it is offered.
import { isTerminal, type StoredFile } from '#lib/shared/files.ts';
import { findProblem } from '#lib/shared/errors.ts';
import type { Row } from './rows.ts';
import { failureOf } from './words.ts';

export type Action = 'download' | 'next' | 'cancel' | 'retry' | 'again' | 'delete';

export const actionNames: Record<Action, string> = {
	download: 'Download',
	next: 'Process next',
	cancel: 'Cancel',
	retry: 'Retry',
	again: 'Process again',
	delete: 'Delete'
};

export function actionsFor(file: StoredFile): Action[] {
	const canRetry = file.status === 'cancelled' || (file.status === 'failed' && failureOf(file).canRetry);
	return [
		'download',
		...(file.status === 'pending' && file.queue_position !== 1 ? (['next'] as const) : []),
		...(isTerminal(file.status) ? [] : (['cancel'] as const)),
		...(canRetry ? (['retry'] as const) : []),
		...(file.status === 'completed' ? (['again'] as const) : []),
		'delete'
	];
}

/** The one button of a failure. */
export function remedyOf(file: StoredFile): 'retry' | 'delete' {
	return failureOf(file).canRetry ? 'retry' : 'delete';
}

export function remedyName({ file, upload }: Row): string {
	if (upload) return upload.error && findProblem(upload.error.code)?.retry === false ? 'Remove' : 'Retry';
	if (needsPassword(file)) return 'Unlock';
	return actionNames[remedyOf(file)];
}

export function needsPassword(file: StoredFile): boolean {
	return file.status === 'failed' && file.error_code === 'pdf.encrypted';
}

/** The same again, without anything from the person. */
export function isWorthRetrying(file: StoredFile): boolean {
	return actionsFor(file).includes('retry') && !needsPassword(file);
}

/** Those of the chosen files for which the action means something. */
export function fitting(
	action: 'delete' | 'cancel' | 'retry' | 'download',
	files: readonly StoredFile[]
): StoredFile[] {
	return files.filter((file) => actionsFor(file).includes(action));
}
