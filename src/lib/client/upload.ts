// Sends one file and tells how many bytes have left. Each way of sending has the type Send: small files go in one
// request, which is quickest for many; larger ones in pieces (send-resumable.ts).
import * as v from 'valibot';
import { UploadAnswer } from '#lib/shared/api.ts';
import { problems } from '#lib/shared/errors.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { ApiError, offline, refusal } from './api.ts';

export type Send = (
	file: File,
	options: {
		/** Its reason is an `ending`. */
		signal: AbortSignal;
		onSent: (bytes: number) => void;
		folder: string;
		sha256: string | undefined;
	}
) => Promise<StoredFile>;

/** Why an attempt was ended from here. */
export const ending = { paused: 'paused', cancelled: 'cancelled' } as const;

/** As much as is soon sent again. */
export const atOnceBytes = 1024 * 1024;

/** In one request, of which nothing stays when it is ended. */
export function isSentAtOnce({ size }: Pick<File, 'size'>): boolean {
	return size <= atOnceBytes;
}

export function bySize(small: Send, large: Send): Send {
	return (file, options) => (isSentAtOnce(file) ? small : large)(file, options);
}

/** XMLHttpRequest, because fetch cannot tell how much of a body has been sent. */
export function createSendMultipart(project?: string): Send {
	const path = `/api/files/upload${project === undefined ? '' : `?project=${project}`}`;
	return (file, how) => send(path, file, how);
}

const send = (path: string, ...[file, { signal, onSent, folder }]: Parameters<Send>): ReturnType<Send> =>
	new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		const abort = () => request.abort();
		request.open('POST', path);
		// What is sent is a little more than the file: the form around it.
		request.upload.onprogress = ({ loaded }) => onSent(Math.min(loaded, file.size));
		request.onload = () => {
			try {
				resolve(accepted(request.responseText, request.status));
			} catch (error) {
				reject(error);
			}
		};
		request.onerror = () => reject(new ApiError(offline, 0));
		request.onabort = () => reject(signal.reason);
		request.onloadend = () => signal.removeEventListener('abort', abort);
		signal.addEventListener('abort', abort);
		request.send(formOf(file, folder));
	});

/** Browsers write control characters of a name into the header of its part, which no server can read then. */
export function formOf(file: File, folder = ''): FormData {
	const form = new FormData();
	const name = folder === '' ? file.name : `${folder}/${file.name}`;
	form.append('file', file, name.replace(/\p{Cc}/gu, '_'));
	return form;
}

/** The stored file of an answer, or the reason why there is none. */
export function accepted(body: string, status: number): StoredFile {
	const answer = v.safeParse(v.pipe(v.string(), v.parseJson(), UploadAnswer), body);
	if (!answer.success) throw refusal(body, status);
	const [file] = answer.output.files;
	if (file) return file;
	const [error] = answer.output.errors;
	throw new ApiError(
		error ?? { code: 'server.unexpected', message: problems['server.unexpected'].message },
		status
	);
}

/** What is certain to be refused is not sent: the reason, or undefined. */
export function refusalBeforeSending(
	file: Pick<File, 'name' | 'size' | 'type'>,
	maxFileBytes: number
): ApiError | undefined {
	if (file.size === 0) return refuse('upload.empty');
	if (file.size > maxFileBytes) return refuse('upload.too_large');
	// Browsers take TypeScript for video; everything else that says sound or film can never be read.
	if (/^(audio|video)\//.test(file.type) && !/\.[mc]?ts$/i.test(file.name))
		return refuse('file.unsupported_type');
	return undefined;
}

function refuse(code: keyof typeof problems): ApiError {
	return new ApiError({ code, message: problems[code].message }, problems[code].status);
}
