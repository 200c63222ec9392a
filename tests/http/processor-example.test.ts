// The example processor of the docs as its own process, against a double of Asura that breaks off, refuses and is away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';

const key = 'a shared secret of both sides';
const bytes = Buffer.from(`${'the first half '.repeat(10_000)}${'the second half '.repeat(10_000)}`);

type Report = { status: string; message: string; metadata: { text?: string } };
let ranges: (string | undefined)[] = [];
let reports: Report[] = [];
/** How the double answers; each is used once, and then all is well. */
let downloads: ((response: ServerResponse) => unknown)[] = [];
let refusals: number[] = [];
let printed = '';

const asura = createServer((request, response) => void answer(request, response));
const service = spawn(process.execPath, ['docs/examples/processor/processor.mjs'], {
	env: { PROCESSOR_KEY: key, PORT: '0' },
	stdio: ['ignore', 'pipe', 'pipe']
});
for (const stream of [service.stdout, service.stderr])
	stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
let jobs = '';
let origin = '';

beforeAll(async () => {
	asura.listen(0, '127.0.0.1');
	await once(asura, 'listening');
	origin = `http://127.0.0.1:${(asura.address() as AddressInfo).port}`;
	jobs = await eventually(() => {
		const ready = /ready at (\S+)/.exec(printed)?.[1];
		if (!ready) throw new Error('It is not ready yet.');
		return ready;
	});
});
beforeEach(() => {
	ranges = [];
	reports = [];
	downloads = [];
	refusals = [];
	printed = '';
});
afterAll(async () => {
	service.kill('SIGKILL');
	asura.closeAllConnections();
	asura.close();
	await once(service, 'exit');
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
	if (request.method === 'GET') {
		ranges.push(request.headers.range);
		const odd = downloads.shift();
		if (odd) return void odd(response);
		const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
		response.writeHead(206, { 'content-length': bytes.length - from }).end(bytes.subarray(from));
		return;
	}
	const report = (await json(request)) as Report;
	const refusal = refusals.shift();
	if (refusal === undefined) reports.push(report);
	response.writeHead(refusal ?? 200).end('{}');
}

function giveJob(documentId: string, headers: Record<string, string> = { 'x-webhook-key': key }) {
	const job = { documentId, size_bytes: bytes.length, download_url: `${origin}/bytes`, callback_url: origin };
	return fetch(jobs, { method: 'POST', headers, body: JSON.stringify(job) });
}

const last = (status: string) =>
	eventually(
		() => {
			const report = reports.at(-1);
			expect(report?.status).toBe(status);
			return report;
		},
		{ timeoutMs: 20_000 }
	);

it('goes on where a download broke off, through a server that starts anew', { timeout: 30_000 }, async () => {
	const half = 150_000;
	downloads = [
		(response) => {
			response.writeHead(206, { 'content-length': bytes.length });
			// Not before it is sent: what is cut would be thrown away with the connection.
			response.write(bytes.subarray(0, half), () => setImmediate(() => response.destroy()));
		},
		(response) => response.writeHead(503).end()
	];
	expect((await giveJob('broken')).status).toBe(202);
	const report = await last('parsed');
	expect(ranges[0]).toBe('bytes=0-');
	expect(ranges).toHaveLength(3);
	expect(ranges[2]).toBe(ranges[1]);
	// It leaves out what is shorter than a word, at the edges of what came at once.
	const missing = bytes.length - (report?.metadata.text?.replaceAll('\n', '').length ?? 0);
	expect(Math.abs(missing)).toBeLessThan(100);
});

it('repeats a report until it is heard, and stops when nobody wants it', { timeout: 30_000 }, async () => {
	refusals = [503, 429];
	await giveJob('patient');
	await last('parsed');
	expect(reports[0]?.status).toBe('parsing_started');

	reports = [];
	refusals = [409];
	await giveJob('unwanted');
	await eventually(() => expect(printed).toContain('unwanted: parsing_started: 409'));
	expect(reports).toEqual([]);
});

it('says so when the file cannot be had', { timeout: 30_000 }, async () => {
	downloads = [(response) => response.writeHead(410).end()];
	await giveJob('gone');
	expect((await last('failed'))?.message).toBe('the file cannot be fetched: it answered 410');
});

it('takes jobs of its own Asura only, and outlives what is none', async () => {
	expect((await giveJob('forged', { 'x-webhook-key': 'a guess' })).status).toBe(401);
	const headers = { 'x-webhook-key': key };
	expect((await fetch(jobs, { method: 'POST', headers, body: '{"documentId":' })).status).toBe(400);
	expect((await fetch(jobs, { method: 'POST', headers, body: 'null' })).status).toBe(400);
	expect((await giveJob('after')).status).toBe(202);
	await last('parsed');
});
