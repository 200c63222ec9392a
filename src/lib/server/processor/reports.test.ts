// Reports of an external processor, whoever sends them and in whatever order.
import { createHmac, randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { coded, key, openProcessorTest, type ProcessorTest } from '../../../../tests/support/processor.ts';

let outside: ProcessorTest;

beforeAll(async () => {
	outside = await openProcessorTest();
});
beforeEach(() => outside.reset());
afterAll(() => outside.close());

describe('a report', () => {
	it('that repeats, lies behind or comes after the end changes nothing', async () => {
		const { id } = await outside.handOver();
		expect(await outside.report(id, 'parsed')).toBe('accepted');
		expect(await outside.report(id, 'parsed')).toBe('repeated');
		expect(await outside.report(id, 'parsing_started')).toBe('outdated');
		expect(await outside.report(id, 'parsing', { progress: 1 })).toBe('outdated');
		const before = await outside.look.get(id);
		await outside.files.cancel(outside.ada, id);
		await expect(outside.report(id, 'embedded')).rejects.toEqual(coded('processor.not_waiting'));
		expect(await outside.look.get(id)).toMatchObject({ status: 'cancelled', progress: before.progress });
		await outside.files.remove(outside.ada, id);
		await expect(outside.report(id, 'embedded')).rejects.toEqual(coded('file.not_found'));
	});

	it('on a file that is unknown, or not the processor’s, finds nothing', async () => {
		const notes = await outside.addFile(outside.ada);
		for (const id of [randomUUID(), 'test', notes.id])
			await expect(outside.report(id, 'embedded')).rejects.toEqual(coded('file.not_found'));
		expect((await outside.look.get(notes.id)).error_code).toBeNull();
	});

	it('that is malformed is refused', async () => {
		const { id } = await outside.handOver();
		const pages = (page: unknown) => ({ documentId: id, status: 'parsed', metadata: { pages: [page] } });
		for (const body of [
			'',
			'{',
			'null',
			'{}',
			JSON.stringify({ documentId: id, status: 'done' }),
			JSON.stringify(pages({ number: 0, text: '' })),
			JSON.stringify(pages({ number: 1 })),
			JSON.stringify({ documentId: id, status: 'parsing', metadata: { progress: 101 } })
		])
			await expect(outside.reportRaw(body), body).rejects.toThrow(v.ValiError);
	});

	it('is believed only with the key, and with a signature only if it is right and young', async () => {
		const { id } = await outside.handOver();
		const body = JSON.stringify({ documentId: id, status: 'parsing' });
		const signedAt = (seconds: number, what = body) => ({
			'x-webhook-key': key,
			'x-webhook-timestamp': String(seconds),
			'x-webhook-signature': `sha256=${createHmac('sha256', key).update(`${seconds}.${what}`).digest('hex')}`
		});
		const now = Math.floor(Date.now() / 1000);
		expect(await outside.reportRaw(body, { headers: signedAt(now) })).toBe('accepted');
		const refused: Record<string, string>[] = [
			{},
			{ 'x-webhook-key': 'something else altogether' },
			{ 'x-webhook-key': key.slice(0, -1) },
			signedAt(now - 301),
			signedAt(now + 301),
			signedAt(now, `${body} `),
			{ ...signedAt(now), 'x-webhook-timestamp': String(now - 1) },
			{ 'x-webhook-key': key, 'x-webhook-signature': signedAt(now)['x-webhook-signature'] },
			{ ...signedAt(now), 'x-webhook-key': 'something else altogether' }
		];
		for (const headers of refused)
			await expect(outside.reportRaw(body, { headers, address: '10.0.0.2' })).rejects.toEqual(
				coded('processor.refused')
			);
	});

	it('is not read before its sender is known, and guessing is slowed down', async () => {
		let reads = 0;
		const guess = () =>
			outside.processor.admit({
				headers: new Headers({ 'x-webhook-key': 'a guess' }),
				address: '10.0.0.3',
				read: async () => String(reads++)
			});
		const codes = await Promise.all(
			Array.from({ length: 30 }, () => guess().catch((error: { code: string }) => error.code))
		);
		expect(codes).toContain('request.too_many');
		expect(reads).toBe(0);
	});

	it('comes at most so often for one file', async () => {
		const { id } = await outside.handOver();
		const results = await Promise.allSettled(Array.from({ length: 60 }, () => outside.report(id, 'parsing')));
		const refused = results.filter((result) => result.status === 'rejected');
		expect(refused.length).toBeGreaterThan(20);
		expect(refused[0]).toMatchObject({ reason: { code: 'request.too_many' } });
	});
});

describe('the link to the bytes', () => {
	it('is good for one file, for a while, and while the file is at work', async () => {
		const first = await outside.handOver();
		const [run = '', expires = '', signature = ''] = first.job.download_url.split('/').slice(-3);
		const other = await outside.handOver();
		const [otherRun = ''] = other.job.download_url.split('/').slice(-3);
		const headers = new Headers();
		const later = String(Number(expires) + 1);
		for (const wrong of [
			{ run: otherRun, expires, signature },
			{ run, expires: later, signature },
			{ run, expires, signature: `${signature}x` },
			{ run: '%', expires: 'x', signature: '' }
		])
			await expect(outside.processor.download(wrong, headers)).rejects.toEqual(coded('request.not_found'));
		await outside.fetchFrom(first.job);
		await outside.report(first.id, 'parsed', { text: 'words' });
		await outside.look.untilItIs(first.id, { status: 'completed' });
		await expect(outside.fetchFrom(first.job)).rejects.toEqual(coded('processor.link_expired'));
		await outside.files.cancel(outside.ada, other.id);
		await expect(outside.fetchFrom(other.job)).rejects.toEqual(coded('processor.link_expired'));
	});
});
