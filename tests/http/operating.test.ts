// What an operator relies on: traces, metrics, limits, the log of what operators do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type SentSpan, startCollector } from '../support/otlp.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';

describe('a server that is watched', () => {
	let collector: Awaited<ReturnType<typeof startCollector>>;
	let server: TestServer;
	let ada: Person;

	beforeAll(async () => {
		collector = await startCollector();
		server = await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
		ada = await enter(server);
	});
	afterAll(async () => {
		await server?.dispose();
		collector?.close();
	});

	it('traces an upload from its request to the stages of its file, without names and texts', async () => {
		const traceId = '0af7651916cd43dd8448eb211c80319c';
		const form = new FormData();
		form.append('file', new Blob(['the uniquelantern hangs over the quay']), 'a-secret-name.txt');
		const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
		const answer = await ada.ask('/api/files/upload', { method: 'POST', headers, body: form });
		expect(answer.status).toBe(201);
		const { files } = await answer.json();
		await ada.ended([files[0].id]);
		const find = (name: string): SentSpan => {
			const found = collector.spans.find((span) => span.traceId === traceId && span.name === name);
			if (!found) throw new Error(`no span ${name}`);
			return found;
		};
		await eventually(() => find('stage embedding'), { timeoutMs: 10_000 });
		const request = find('POST /api/files/upload');
		const job = find('job');
		expect(request.parentSpanId).toBe('b7ad6b7169203331');
		expect(job.parentSpanId).toBe(request.spanId);
		expect(job.attributes).toContainEqual({ key: 'file.id', value: { stringValue: files[0].id } });
		expect(find('stage extraction').parentSpanId).toBe(job.spanId);
		expect(collector.raw()).not.toMatch(/secret-name|uniquelantern|localhost/);
	});

	it('tells how deep the queue is, and how long stages took', async () => {
		const metrics = await (await fetch(`${server.url}/metrics`)).text();
		expect(metrics).toContain('asura_queue_jobs{state="waiting"} 0');
		expect(metrics).toMatch(/asura_stage_seconds_count\{stage="extraction"\} [1-9]/);
		expect(metrics).toMatch(/asura_files_ended_total\{status="completed",code="none"\} [1-9]/);
	});

	it('notes what an operator does, and who it was', async () => {
		const answer = await ada.ask('/admin?/mend', { method: 'POST', body: new URLSearchParams() });
		expect(answer.status).toBe(200);
		await eventually(() =>
			expect(server.output()).toMatch(/"audit":\{"who":"ada@localhost","what":"mend"\}/)
		);
	});
});

describe('too many requests', () => {
	it('are refused to one person, and to nobody else', async () => {
		const server = await startServer({ REQUESTS_PER_MINUTE: '30', TRUSTED_PROXIES: '127.0.0.1' });
		try {
			const [ada, bob] = [await enter(server, 'ada@localhost'), await enter(server, 'bob@localhost')];
			const statuses: number[] = [];
			for (let i = 0; i < 35; i++) statuses.push((await ada.ask('/api/files')).status);
			expect(statuses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 200));
			const refused = await ada.ask('/api/files');
			expect([refused.status, (await refused.json()).code]).toEqual([429, 'request.too_many']);
			expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
			expect(await ada.refusal('/api/files/events')).toBe('429 request.too_many');
			expect((await bob.ask('/api/files')).status).toBe(200);
			// Nobody known: by the address that the trusted proxy heard from.
			const from = (address: string) =>
				fetch(`${server.url}/api/files`, { headers: { 'x-forwarded-for': address } });
			for (let i = 0; i < 31; i++) await from('203.0.113.9');
			expect((await from('203.0.113.9')).status).toBe(429);
			expect((await from('203.0.113.10')).status).toBe(401);
			for (let i = 0; i < 40; i++) expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
		} finally {
			await server.dispose();
		}
	});
});
