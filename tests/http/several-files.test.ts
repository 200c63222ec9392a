// What is done with several files at once, and what a person's page shows of one: over real HTTP.
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBuffer } from 'yauzl';
import { eventually } from '../support/eventually.ts';
import { makePdf, pageText } from '../support/make-files.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';

let server: TestServer;
let ada: Person;
let bob: Person;
beforeAll(async () => {
	server = await startServer({ LOG_LEVEL: 'warn' });
	ada = await enter(server, 'ada@localhost');
	bob = await enter(server, 'bob@localhost');
});
afterAll(() => server.dispose());

const post = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) });

describe('a zip', () => {
	it('holds what was asked for, under names that unpack everywhere', async () => {
		const one = await ada.add('notes.txt', 'the first');
		const two = await ada.add('notes.txt', 'the second');
		const pdf = await ada.add('Bücher?.pdf', makePdf([pageText(1)]));
		const answer = await ada.ask('/api/files/zip', post({ ids: [one.id, two.id, pdf.id] }));
		expect(answer.status).toBe(200);
		expect(answer.headers.get('content-type')).toBe('application/zip');
		const files = await unzip(Buffer.from(await answer.arrayBuffer()));
		expect([...files.keys()]).toEqual(['notes.txt', 'notes (2).txt', 'Bücher_.pdf']);
		expect(files.get('notes (2).txt')).toBe('the second');

		const form = new URLSearchParams({ ids: `${one.id},${two.id}` });
		const byForm = await ada.ask('/api/files/zip', { method: 'POST', body: form });
		expect((await unzip(Buffer.from(await byForm.arrayBuffer()))).size).toBe(2);
	});

	it('is refused before its first byte: foreign, unknown, none, too many, nonsense', async () => {
		const { id } = await ada.add('mine.txt', 'mine alone');
		expect(await bob.refusal('/api/files/zip', post({ ids: [id] }))).toBe('404 file.not_found');
		expect(await ada.refusal('/api/files/zip', post({ ids: [id, randomUUID()] }))).toBe('404 file.not_found');
		const tooMany = Array.from({ length: 1001 }, () => randomUUID());
		for (const ids of [[], tooMany, ['../x'], 'x'])
			expect(await ada.refusal('/api/files/zip', post({ ids }))).toBe('400 request.invalid');
	});

	it('stops when the client goes away, and keeps nothing open', async () => {
		const big = await Promise.all(
			[1, 2, 3].map((n) => ada.add(`big-${n}.bin.txt`, `${n} ${'x'.repeat(3_000_000)}\n`))
		);
		for (let i = 0; i < 5; i++) {
			const aborter = new AbortController();
			const body = { ...post({ ids: big.map(({ id }) => id) }), signal: aborter.signal };
			const reader = (await ada.ask('/api/files/zip', body)).body?.getReader();
			await reader?.read();
			aborter.abort();
			await reader?.read().catch(() => 'it was given up');
		}
		await eventually(async () => expect(await openBlobs(server.pid)).toEqual([]), { timeoutMs: 10_000 });
		expect(server.output()).not.toMatch(/unexpected error|unhandled/i);
	});
});

describe('several files at once', () => {
	it('are deleted, each for itself', async () => {
		const [one, two] = [await ada.add('a.txt', 'letter a'), await ada.add('b.txt', 'letter b')];
		const foreign = await bob.add('c.txt', 'letter c');
		const answer = await (
			await ada.ask('/api/files/delete', post({ ids: [one.id, foreign.id, two.id] }))
		).json();
		expect(answer.deleted).toEqual([one.id, two.id]);
		expect(answer.errors).toMatchObject([{ id: foreign.id, code: 'file.not_found' }]);
		expect((await bob.get(foreign.id)).filename).toBe('c.txt');
		expect(await ada.refusal(`/api/files/${one.id}`)).toBe('404 file.not_found');
	});

	it('are cancelled and retried; what has ended says so', async () => {
		const done = await ada.add('done.txt', 'is done');
		await ada.ended([done.id]);
		const body = post({ ids: [done.id] });
		for (const [action, code] of [
			['cancel', 'file.not_cancellable'],
			['retry', 'file.not_retryable']
		]) {
			const answer = await (await ada.ask(`/api/files/${action}`, body)).json();
			expect(answer).toMatchObject({ files: [], errors: [{ id: done.id, code }] });
		}
	});
});

describe('passages', () => {
	it('of a file are told with their pages, to its owner only', async () => {
		const file = await ada.add('book.pdf', makePdf([pageText(1), pageText(2)]));
		await ada.ended([file.id]);
		const { passages, next } = await (await ada.ask(`/api/files/${file.id}/passages`)).json();
		expect(passages[0]).toMatchObject({ ordinal: 0, page: 1, text: expect.stringContaining('only1') });
		expect(passages.at(-1)).toMatchObject({ page: 2 });
		expect(next).toBeNull();
		const rest = await (await ada.ask(`/api/files/${file.id}/passages?after=1`)).json();
		expect(rest.passages).toEqual(passages.slice(1));
		expect(await bob.refusal(`/api/files/${file.id}/passages`)).toBe('404 file.not_found');
		expect(await ada.refusal(`/api/files/${file.id}/passages?after=-1`)).toBe('400 request.invalid');
	});
});

describe('a search', () => {
	it('looks only through the files that are asked for, and refuses what it does not understand', async () => {
		const carol = await enter(server, 'carol@localhost');
		const note = await carol.add('note.txt', 'a lantern on the pier');
		const pdf = await carol.add('book.pdf', makePdf(['A lantern on the hill.']));
		await carol.ended([note.id, pdf.id]);
		const found = async (filter: string) => {
			const { results } = await (await carol.ask(`/api/search?q=lantern${filter}`)).json();
			return new Set(results.map(({ file }: { file: { filename: string } }) => file.filename));
		};
		expect(await found('')).toEqual(new Set(['note.txt', 'book.pdf']));
		expect(await found('&type=pdf')).toEqual(new Set(['book.pdf']));
		expect(await found('&type=text/plain')).toEqual(new Set(['note.txt']));
		expect(await found(`&file=${note.id}`)).toEqual(new Set(['note.txt']));
		expect(await found(`&after=${pdf.created_at}`)).toEqual(new Set(['book.pdf']));
		expect(await found(`&before=${pdf.created_at}`)).toEqual(new Set(['note.txt']));
		expect(await found('&after=2999-01-01')).toEqual(new Set());
		for (const wrong of ['type=exe', 'after=yesterday', 'before=2026-13-01', 'file=1'])
			expect(await carol.refusal(`/api/search?q=x&${wrong}`)).toBe('400 request.invalid');
	});
});

function unzip(bytes: Buffer): Promise<Map<string, string>> {
	const files = new Map<string, string>();
	return new Promise((resolve, reject) => {
		fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
			if (error) return reject(error);
			zip.on('entry', ({ fileName }: { fileName: string }) => files.set(fileName, ''));
			zip.on('entry', (entry) =>
				zip.openReadStream(entry, (failed, content) => {
					if (failed) return reject(failed);
					text(content).then((whole) => (files.set(entry.fileName, whole), zip.readEntry()), reject);
				})
			);
			zip.on('end', () => resolve(files));
			zip.readEntry();
		});
	});
}

/** The originals that the process holds open (Linux; elsewhere nothing is seen). */
async function openBlobs(pid: number): Promise<string[]> {
	const { readdir, readlink } = await import('node:fs/promises');
	const folder = `/proc/${pid}/fd`;
	const names = await readdir(folder).catch(() => []);
	const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
	return links.filter((link) => link.endsWith('/original'));
}
