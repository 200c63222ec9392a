// npm run check:stream -- --url http://127.0.0.1:3000 (--email ada@localhost | --cookie asura_session=…) [--read-only]
// Asks a running server everything that the contract promises about its live stream, and tells what it got.
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { messageOf } from '#lib/server/errors.ts';
import {
	ChangesAnswer,
	digestOf,
	type FilesState,
	merge,
	noFiles,
	StreamMessage
} from '#lib/shared/events.ts';
import { openSse, type Reader } from './sse.ts';

const streamPath = '/api/files/events';

const { values } = parseArgs({
	options: {
		url: { type: 'string', default: 'http://127.0.0.1:3000' },
		email: { type: 'string' },
		cookie: { type: 'string' },
		'read-only': { type: 'boolean', default: false }
	}
});
const server = new URL(values.url);
const counts = { ok: 0, failed: 0, skipped: 0 };
let cookie = values.cookie ?? '';
let seen: FilesState = noFiles;
let cursor: string | undefined;

await check('a stranger is refused with 401', async () => {
	const answer = await fetch(new URL(streamPath, server));
	expect(answer.status, 401);
	expect(fieldOf(await answer.json(), 'code'), 'auth.required');
});
if (!cookie) await check(`signing in as ${values.email ?? 'ada@localhost'}`, signIn);
const stream = await openSse(new URL(streamPath, server), { cookie });
await check('the stream has its headers', () => checkHeaders(stream.response));
const heartbeatSeconds = await check('connected comes first, within a second', async () => {
	const message = await nextOf(stream, 'connected', 1000);
	return message.eventType === 'connected' ? message.heartbeatSeconds : 30;
});
await check('the snapshot follows, and ends with an id', takeSnapshot);
await check('polling tells the same', comparePolling);
if (values['read-only']) skip('an upload and its end arrive in order', '--read-only');
else await check('an upload, its progress and its deletion arrive in order', followUpload);
await check('a heartbeat comes in time and its digest agrees', takeHeartbeat);
stream.close();
await check('Last-Event-ID continues without a snapshot', () =>
	resume({ 'last-event-id': cursor ?? '' }, '')
);
await check('?cursor= continues without a snapshot', () => resume({}, `?cursor=${cursor}`));
await check('a foreign cursor is reset in the stream', resetForeign);
if (values.cookie) skip('signing out ends the stream', 'the session is yours');
else await check('signing out ends the stream with bye within five seconds', signOut);

process.stdout.write(`\n${counts.ok} ok, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exit(counts.failed > 0 ? 1 : 0);

async function check<T>(name: string, run: () => T | Promise<T>): Promise<T | undefined> {
	const startedAt = performance.now();
	const say = (mark: string, what = '') =>
		process.stdout.write(
			`${mark}  ${name.padEnd(62)} ${String(Math.round(performance.now() - startedAt)).padStart(6)} ms ${what}\n`
		);
	try {
		const result = await run();
		counts.ok += 1;
		say('ok  ');
		return result;
	} catch (error) {
		counts.failed += 1;
		say('FAIL', `\n      ${messageOf(error)}`);
		return undefined;
	}
}

function skip(name: string, reason: string): void {
	counts.skipped += 1;
	process.stdout.write(`skip  ${name}: ${reason}\n`);
}

async function signIn(): Promise<void> {
	const answer = await send(
		'POST',
		'/auth/local',
		JSON.stringify({ email: values.email ?? 'ada@localhost' })
	);
	expect(answer.status, 204);
	cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

function checkHeaders({ status, headers }: Response): void {
	expect(status, 200);
	expect(headers.get('content-type'), 'text/event-stream');
	expect(headers.get('cache-control'), 'no-cache, no-transform');
	expect(headers.get('x-accel-buffering'), 'no');
}

async function takeSnapshot(): Promise<void> {
	for (;;) {
		const frame = await stream.next(10_000);
		const message = parseMessage(frame);
		if (message.eventType !== 'snapshot') throw new Error(`${message.eventType} came instead`);
		if (message.files.length > 500) throw new Error(`a frame of ${message.files.length} files`);
		seen = merge(seen, message);
		if (!message.last) continue;
		if (!frame?.id) throw new Error('the last frame has no id');
		cursor = frame.id;
		return;
	}
}

async function comparePolling(): Promise<void> {
	const answer = await send('GET', '/api/files/changes');
	const { changes } = v.parse(ChangesAnswer, await answer.json());
	expect(digestOf(changes.reduce(merge, noFiles).byId.values()), digestOf(seen.byId.values()));
}

async function followUpload(): Promise<void> {
	const form = new FormData();
	form.set('file', new File(['A lantern in the harbour.'], 'check-stream.txt', { type: 'text/plain' }));
	const answer = await send('POST', '/api/files/upload', form);
	expect(answer.status, 201);
	const { files } = v.parse(v.object({ files: v.array(v.object({ id: v.string() })) }), await answer.json());
	const id = files[0]?.id ?? '';
	let progress = -1;
	for (let status = ''; status !== 'completed';) {
		const message = await nextOf(
			stream,
			'file-update',
			30_000,
			(one) => one.eventType === 'file-update' && one.file.id === id
		);
		if (message.eventType !== 'file-update') continue;
		if (message.file.progress < progress)
			throw new Error(`progress fell from ${progress} to ${message.file.progress}`);
		({ progress, status } = message.file);
		if (status === 'failed') throw new Error(`the file failed: ${message.file.error_message}`);
	}
	expect((await send('DELETE', `/api/files/${id}`)).status, 204);
	await nextOf(stream, 'file-deleted', 5000, (one) => one.eventType === 'file-deleted' && one.file.id === id);
}

async function takeHeartbeat(): Promise<void> {
	const message = await nextOf(stream, 'heartbeat', ((heartbeatSeconds ?? 30) + 2) * 1000);
	if (message.eventType === 'heartbeat') expect(message.digest, digestOf(seen.byId.values()));
}

async function resume(headers: Record<string, string>, query: string): Promise<void> {
	if (!cursor) throw new Error('no cursor was received');
	const again = await openSse(new URL(streamPath + query, server), { cookie, ...headers });
	try {
		const first = await nextOf(again, 'connected', 2000);
		if (first.eventType === 'connected') expect(first.cursor, cursor);
		const next = await again.next(1000);
		if (next && ['snapshot', 'reset'].includes(next.event)) throw new Error(`${next.event} came`);
	} finally {
		again.close();
	}
}

async function resetForeign(): Promise<void> {
	const again = await openSse(new URL(`${streamPath}?cursor=elsewhere.1`, server), { cookie });
	try {
		await nextOf(again, 'connected', 2000);
		expect((await again.next(5000))?.event, 'reset');
		expect((await again.next(5000))?.event, 'snapshot');
	} finally {
		again.close();
	}
}

async function signOut(): Promise<void> {
	const last = await openSse(new URL(streamPath, server), { cookie });
	await nextOf(last, 'snapshot', 5000);
	await send('POST', '/auth/sign-out');
	const message = await nextOf(last, 'bye', 5000);
	if (message.eventType === 'bye') expect(message.reason, 'signed_out');
	last.close();
}

/** Everything that comes before it is taken in, and must be a message of the contract. */
async function nextOf(
	reader: Reader,
	event: StreamMessage['eventType'],
	ms: number,
	isMeant: (message: StreamMessage) => boolean = () => true
): Promise<StreamMessage> {
	const deadline = performance.now() + ms;
	for (;;) {
		const frame = await reader.next(Math.max(0, deadline - performance.now()));
		if (!frame) throw new Error(`no ${event} came within ${ms} ms`);
		const message = parseMessage(frame);
		if (reader === stream) {
			seen = merge(seen, message);
			cursor = frame.id ?? cursor;
		}
		if (message.eventType === event && isMeant(message)) return message;
	}
}

function parseMessage(frame: { event: string; data: string } | undefined): StreamMessage {
	if (!frame) throw new Error('the stream ended or is silent');
	const message = v.parse(v.pipe(v.string(), v.parseJson(), StreamMessage), frame.data);
	expect(message.eventType, frame.event);
	if (Number.isNaN(Date.parse(message.timestamp))) throw new Error(`${message.timestamp} is no time`);
	return message;
}

function send(method: string, path: string, body?: string | FormData): Promise<Response> {
	const headers = new Headers({ cookie, origin: server.origin });
	if (typeof body === 'string') headers.set('content-type', 'application/json');
	return fetch(new URL(path, server), { method, body, headers, redirect: 'manual' });
}

function expect(actual: unknown, wanted: unknown): void {
	if (actual !== wanted) throw new Error(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(actual)}`);
}

function fieldOf(body: unknown, name: string): unknown {
	return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}
