// Sends one file, streamed from where it lies. Each way of sending has the type Send: small files and standard input go in
// one request, larger ones in pieces (send-resumable.ts), with the same border as on the page.
import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '#lib/client/backoff.ts';
import { accepted, atOnceBytes } from '#lib/client/upload.ts';
import { ApiError, offline } from '#lib/client/api.ts';
import type { Connection } from '#lib/client/connect.ts';
import type { StoredFile } from '#lib/shared/files.ts';

/** Long enough for a server that is set up anew. */
export const patienceMs = 600_000;

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
		/** The server was there a moment ago: it is worth waiting for. */
		isKnownServer?: () => boolean;
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
	return async (source, server, how) => {
		const givenUpAt = Date.now() + patienceMs;
		for (let attempt = 0; ; attempt += 1) {
			try {
				return await sendTo(path, source, server, how);
			} catch (error) {
				// What comes through a pipe cannot be read twice; of what broke off midway nobody knows whether it is kept.
				const isWorthIt = source.place !== undefined && how.isKnownServer?.() && wasNobodyThere(error);
				if (how.signal.aborted || !isWorthIt || Date.now() > givenUpAt) throw error;
				how.onStalled?.();
				await pause(backoffMs(attempt, Math.random()), undefined, { signal: how.signal });
			}
		}
	};
}

function wasNobodyThere(error: unknown): boolean {
	const cause = error instanceof ApiError && error.cause;
	return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
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
