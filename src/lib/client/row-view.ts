// What a row shows, from what it stands for.
import type { StoredFile } from '#lib/shared/files.ts';
import { findProblem } from '#lib/shared/errors.ts';
import type { Row } from './rows.ts';
import { type Segment, segmentsOf, sendingSegments } from './track.ts';
import type { Upload } from './uploads.svelte.ts';
import { duration, type Failure, failureOf, metaLine, nowLine, size, sizeOf } from './words.ts';

/** The first part of the bar belongs to the bytes on their way; the server's own progress fills the rest. */
const sendingPercent = 10;

export type RowView = {
	name: string;
	fileType: string;
	meta: string;
	/** What is happening now. */
	line: string;
	segments: Segment[];
	percent: number;
	state: 'waiting' | 'moving' | 'done' | 'failed' | 'cancelled';
	failure: Failure | undefined;
};

export function viewOf({ upload, file }: Row): RowView {
	return upload ? uploadView(upload) : fileView(file);
}

export function fileTypeOf({ file, upload }: Row): string {
	return file ? file.file_type : upload.file.type || typeByName(upload.file.name);
}

export function fileView(file: StoredFile): RowView {
	const states = { pending: 'waiting', processing: 'moving', completed: 'done' } as const;
	const { status } = file;
	return {
		name: file.filename,
		fileType: file.file_type,
		meta: metaLine(file),
		line: nowLine(file),
		segments: segmentsOf(file),
		percent: Math.floor(sendingPercent + (file.progress * (100 - sendingPercent)) / 100),
		state: status === 'failed' || status === 'cancelled' ? status : states[status],
		failure: status === 'failed' ? failureOf(file) : undefined
	};
}

function uploadView(upload: Upload): RowView {
	const { file, state, share, error } = upload;
	return {
		name: file.name,
		fileType: file.type || typeByName(file.name),
		meta: size(file.size),
		line: sendingLine(upload),
		segments: sendingSegments(share, state === 'failed'),
		percent: Math.floor(share * sendingPercent),
		state: state === 'failed' ? 'failed' : state === 'waiting' ? 'waiting' : 'moving',
		failure: state === 'failed' && error ? notSent(error) : undefined
	};
}

function sendingLine({ state, file, sentBytes, secondsLeft, error }: Upload): string {
	if (state === 'failed') return error?.message ?? 'Not sent';
	if (state === 'waiting') return 'Waiting to be sent';
	if (state === 'sent') return 'Checking what arrived';
	const sending = `Sending ${sizeOf(sentBytes, file.size)}`;
	return secondsLeft === null ? sending : `${sending} · about ${duration(secondsLeft)} left`;
}

function notSent({ code, message }: { code: string; message: string }): Failure {
	const problem = findProblem(code);
	return {
		happened: message,
		kept: problem?.kept ?? 'Nothing was stored.',
		action: problem?.action ?? 'Upload the file again.',
		canRetry: problem?.retry ?? true
	};
}

// Only for the glyph until the server has looked at the bytes.
function typeByName(name: string): string {
	const ending = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
	const types: Record<string, string> = { md: 'text/markdown', csv: 'text/csv', json: 'application/json' };
	return types[ending] ?? '';
}
