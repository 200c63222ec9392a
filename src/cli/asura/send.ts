// Sends one file, streamed from where it lies. Each way of sending has the type Send: small files and standard input go in
// one request, larger ones in pieces (send-resumable.ts), with the same border as on the page.
import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { accepted, atOnceBytes } from '#lib/client/upload.ts';
import { ApiError, offline } from '#lib/client/api.ts';
import type { Connection } from '#lib/client/connect.ts';
import type { StoredFile } from '#lib/shared/files.ts';

export type Source = {
	/** As it is shown. */
	name: string;
	/** That it is in, from what was given on; '' for none. */
	folder: string;
	/** On the disk; undefined: it comes through a pipe. */
	place: string | undefined;
	/** undefined: nobody knows before its end. */
	sizeBytes: number | undefined;
	open(): Readable;
};
export type Send = (
	source: Source,
	server: Connection,
	options: {
		signal: AbortSignal;
		/** Never fewer than before. */
		onSent: (bytes: number) => void;
		/** The line is broken; it will go on by itself. */
		onStalled?: () => void;
	}
) => Promise<StoredFile>;

export function bySize(small: Send, large: Send): Send {
	return (source, ...rest) => ((source.sizeBytes ?? 0) > atOnceBytes ? large : small)(source, ...rest);
}

export class Changed extends Error {
	override readonly name = 'Changed';

	constructor(filename: string) {
		super(`${filename} changed while it was sent.`);
	}
}

/** In one request, to the person's own files or into a project. */
export function createSendMultipart(project?: string): Send {
	const path = '/api/files/upload' + (project === undefined ? '' : `?project=${encodeURIComponent(project)}`);
	return (source, server, how) => sendTo(path, source, server, how);
}

async function sendTo(
	path: string,
	source: Source,
	{ url, key }: Connection,
	{ signal, onSent }: Parameters<Send>[2]
): Promise<StoredFile> {
	const boundary = `asura-${randomUUID()}`;
	const { head, tail } = partOf(boundary, source);
	const headers: Record<string, string | number> = {
		authorization: `Bearer ${key}`,
		// A server that closes after an answer before the body would take the answer with it.
		connection: 'keep-alive',
		'content-type': `multipart/form-data; boundary=${boundary}`
	};
	if (source.sizeBytes !== undefined)
		headers['content-length'] = head.length + source.sizeBytes + tail.length;
	const start = url.startsWith('https:') ? requestHttps : requestHttp;
	const request = start(new URL(path, url), { method: 'POST', headers, signal, agent: false });
	const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
		request.once('error', reject);
		request.once('response', (response) => {
			const status = response.statusCode ?? 0;
			response
				.setEncoding('utf8')
				.toArray()
				.then((parts) => resolve({ status, text: parts.join('') }), reject);
		});
	});
	const sending = pipeline(bodyOf({ source, head, tail }, onSent), request, { signal });
	// A server that refuses answers before it has read everything; then only its answer counts.
	sending.catch(() => undefined);
	try {
		const { status, text } = await answer;
		return accepted(text, status);
	} catch (error) {
		if (error instanceof ApiError || signal.aborted) throw error;
		// What could not be read from the disk is not the server's fault.
		await sending.catch((cause: unknown) => {
			if (cause instanceof Changed || (cause instanceof Error && 'path' in cause)) throw cause;
		});
		throw new ApiError(offline, 0, error);
	} finally {
		request.destroy();
	}
}

async function* bodyOf(
	{ source, head, tail }: { source: Source; head: Buffer; tail: Buffer },
	onSent: (bytes: number) => void
): AsyncGenerator<Buffer> {
	yield head;
	let sent = 0;
	for await (const chunk of source.open()) {
		const bytes: Buffer = chunk;
		yield bytes;
		sent += bytes.length;
		onSent(sent);
	}
	// The server would wait for what was promised.
	if (source.sizeBytes !== undefined && sent !== source.sizeBytes) throw new Changed(source.name);
	yield tail;
}

function partOf(boundary: string, { folder, name }: Source): { head: Buffer; tail: Buffer } {
	const way = folder === '' ? name : `${folder}/${name}`;
	const quoted = way.replace(/\p{Cc}/gu, '_').replace(/["\\]/g, '\\$&');
	const disposition = `Content-Disposition: form-data; name="file"; filename="${quoted}"`;
	return {
		head: Buffer.from(`--${boundary}\r\n${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n`),
		tail: Buffer.from(`\r\n--${boundary}--\r\n`)
	};
}
