// What a row shows, from what it stands for.
import type { StoredFile } from '#lib/shared/files.ts';
import { findProblem } from '#lib/shared/errors.ts';
import type { Row } from './rows.ts';
import { type Segment, segmentsOf, sendingSegments, untouched } from './track.ts';
import type { Upload } from './uploads.svelte.ts';
import {
	duration,
	type Failure,
	failureOf,
	inFolder,
	metaLine,
	nowLine,
	shortMetaLine,
	size,
	sizeOf
} from './words.ts';

/** The first part of the bar belongs to the bytes on their way; the server's own progress fills the rest. */
const sendingPercent = 10;

export type RowView = {
	name: string;
	fileType: string;
	meta: string;
	/** Where there is little room. */
	shortMeta: string;
	/** What is happening now. */
	line: string;
	segments: readonly Segment[];
	percent: number;
	/** asking: nothing moves before the person has said what to do. */
	state: 'waiting' | 'moving' | 'asking' | 'done' | 'failed' | 'cancelled';
	failure: Failure | undefined;
};

export function viewOf({ upload, file }: Row): RowView {
	return upload ? uploadView(upload) : fileView(file);
}

/** Alone, without the words: the sum over a thousand rows is made anew whenever one of them moves. */
export function percentOf({ upload, file }: Row): number {
	return upload ? uploadPercent(upload) : filePercent(file);
}

function filePercent({ progress }: StoredFile): number {
	return Math.floor(sendingPercent + (progress * (100 - sendingPercent)) / 100);
}

function uploadPercent({ share }: Upload): number {
	return Math.floor(share * sendingPercent);
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
		meta: inFolder(metaLine(file), file.folder),
		shortMeta: inFolder(shortMetaLine(file), file.folder),
		line: nowLine(file),
		segments: segmentsOf(file),
		percent: filePercent(file),
		state: status === 'failed' || status === 'cancelled' ? status : states[status],
		failure: status === 'failed' ? failureOf(file) : undefined
	};
}

function uploadView(upload: Upload): RowView {
	const { file, folder, state, share, error } = upload;
	return {
		name: file.name,
		fileType: file.type || typeByName(file.name),
		meta: inFolder(size(file.size), folder),
		shortMeta: size(file.size),
		line: sendingLine(upload),
		segments:
			state === 'known'
				? untouched
				: sendingSegments(state === 'checking' ? null : share, state === 'failed'),
		percent: uploadPercent(upload),
		state: rowStates[state],
		failure: state === 'failed' && error ? notSent(error) : undefined
	};
}

const rowStates = {
	waiting: 'waiting',
	checking: 'moving',
	sending: 'moving',
	sent: 'moving',
	paused: 'waiting',
	stalled: 'waiting',
	known: 'asking',
	failed: 'failed'
} as const satisfies Record<Upload['state'], RowView['state']>;

function sendingLine(upload: Upload): string {
	const { state, file, sentBytes, secondsLeft, error, known } = upload;
	if (state === 'failed') return error?.message ?? 'Not sent';
	if (state === 'checking') return 'Looking whether you have this';
	if (state === 'known') return `You already have this${known ? `: ${known.filename}` : ''}`;
	if (state === 'sent') return 'Checking what arrived';
	const sent = sizeOf(sentBytes, file.size);
	if (state === 'paused') return sentBytes > 0 ? `Paused at ${sent}` : 'Paused';
	if (state === 'stalled') return stalledLine(upload, sent);
	if (state === 'waiting') return sentBytes > 0 ? `Waiting to go on at ${sent}` : 'Waiting to be sent';
	return secondsLeft === null ? `Sending ${sent}` : `Sending ${sent} · about ${duration(secondsLeft)} left`;
}

function stalledLine({ error, sentBytes }: Upload, sent: string): string {
	const why = error?.code === 'upload.busy' ? error.message : 'Waiting for the connection';
	return sentBytes > 0 ? `${why} · ${sent} sent` : why;
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
