import { describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { aFile } from '../../../tests/support/a-file.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { ApiError } from './api.ts';
import { rowsOf } from './rows.ts';
import { accepted, refusalBeforeSending, type Send } from './upload.ts';
import { Uploads } from './uploads.svelte.ts';

type Call = {
	file: File;
	signal: AbortSignal;
	onSent: (bytes: number) => void;
	answer: (file: StoredFile) => void;
	refuse: (error: unknown) => void;
};

/** A line whose other end is the test. */
function aLine() {
	const calls: Call[] = [];
	const send: Send = (file, { signal, onSent }) =>
		new Promise((answer, refuse) => {
			signal.addEventListener('abort', () => refuse(signal.reason));
			calls.push({ file, signal, onSent, answer, refuse });
		});
	return { calls, send };
}

const bytes = (name: string, size = 10) => new File([new Uint8Array(size)], name);

const chosen = (files: File[], folder = '') => files.map((file) => ({ file, folder }));

function setUp(maxFileBytes = 1000) {
	const line = aLine();
	const stored: StoredFile[] = [];
	const uploads = new Uploads({
		send: line.send,
		maxFileBytes,
		newest: () => stored[0]?.created_at ?? '2026-11-20T09:00:00.000Z',
		onStored: (file) => stored.unshift(file),
		now: () => Date.parse('2026-11-20T10:00:00Z')
	});
	const rows = () =>
		rowsOf({
			uploads: uploads.list,
			underWay: uploads.underWay,
			files: stored,
			placed: uploads.placed,
			isHidden: () => false
		});
	return { ...line, uploads, stored, rows };
}

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

describe('uploads', () => {
	it('sends three files at a time and the next one when one is done', async () => {
		const { uploads, calls } = setUp();
		uploads.add(chosen(Array.from({ length: 5 }, (_, i) => bytes(`${i}.txt`))));
		expect(calls.map(({ file }) => file.name)).toEqual(['0.txt', '1.txt', '2.txt']);
		calls[1]?.answer(aFile({ id: id(1), filename: '1.txt' }));
		await eventually(() => expect(calls.at(-1)?.file.name).toBe('3.txt'));
	});

	it('refuses what the server would refuse without sending a byte, and says why', () => {
		const { uploads, calls } = setUp(100);
		uploads.add(chosen([bytes('big.pdf', 101), bytes('empty.txt', 0), bytes('good.txt')]));
		expect(uploads.list.map(({ state, error }) => [state, error?.code])).toEqual([
			['failed', 'upload.too_large'],
			['failed', 'upload.empty'],
			['sending', undefined]
		]);
		expect(calls).toHaveLength(1);
	});

	it('keeps a failed file with its reason beside the others, and sends it again on retry', async () => {
		const { uploads, calls } = setUp();
		uploads.add(chosen([bytes('a.txt'), bytes('b.txt')]));
		calls[0]?.refuse(new ApiError({ code: 'upload.quota_exceeded', message: 'Your storage is full.' }, 413));
		await eventually(() => expect(uploads.list[0]?.error?.message).toBe('Your storage is full.'));
		expect(uploads.list[1]?.state).toBe('sending');
		const [failed] = uploads.list;
		if (failed) uploads.retry(failed);
		expect(uploads.list[0]).toMatchObject({ key: failed?.key, state: 'sending', error: undefined });
		expect(calls.at(-1)?.file.name).toBe('a.txt');
	});

	it('stops sending when a running upload is removed', async () => {
		const { uploads, calls } = setUp();
		uploads.add(chosen([bytes('a.txt')]));
		const [upload] = uploads.list;
		if (upload) uploads.remove(upload);
		expect(calls[0]?.signal.aborted).toBe(true);
		await eventually(() => expect(uploads.isBusy).toBe(false));
		expect(uploads.list).toEqual([]);
	});
});

describe('the row of an upload', () => {
	it('stays the same row, in the same place, when the server has taken the file', async () => {
		const { uploads, calls, rows } = setUp();
		uploads.add(chosen([bytes('a.txt'), bytes('b.txt')]));
		const before = rows().map(({ key }) => key);
		calls[1]?.answer(aFile({ id: id(2), filename: 'b.txt' }));
		await eventually(() => expect(rows()[1]?.file?.id).toBe(id(2)));
		expect(rows().map(({ key }) => key)).toEqual(before);
	});

	it('is taken over by a file that the stream announces before the answer has come', async () => {
		const { uploads, calls, rows, stored } = setUp();
		uploads.add(chosen([bytes('a.txt')]));
		calls[0]?.onSent(10);
		stored.push(
			aFile({ id: id(1), filename: 'a.txt', size_bytes: 10, created_at: '2026-11-20T10:00:01.000Z' })
		);
		expect(rows()).toHaveLength(1);
		expect(rows()[0]).toMatchObject({ key: uploads.list[0]?.key, file: { id: id(1) } });
	});

	it('is so even before the browser tells that the bytes have left, and for one file only', async () => {
		const { uploads, rows, stored } = setUp();
		uploads.add(chosen([bytes('a.txt')]));
		const twin = { filename: 'a.txt', size_bytes: 10 };
		stored.push(aFile({ ...twin, id: id(1), created_at: '2026-11-20T10:00:01.000Z' }));
		expect(rows()).toHaveLength(1);
		stored.push(aFile({ ...twin, id: id(2), created_at: '2026-11-20T10:00:02.000Z' }));
		expect(new Set(rows().map(({ key }) => key)).size).toBe(2);
	});

	it('is not confused with an older file of the same name and size', () => {
		const { uploads, calls, rows, stored } = setUp();
		stored.push(
			aFile({ id: id(1), filename: 'a.txt', size_bytes: 10, created_at: '2026-11-20T08:00:00.000Z' })
		);
		uploads.add(chosen([bytes('a.txt')]));
		calls[0]?.onSent(10);
		expect(rows().map(({ file }) => file?.id)).toEqual([undefined, id(1)]);
	});
});

describe('the answer to an upload', () => {
	it('that refuses the one file is that refusal', () => {
		const body = {
			files: [],
			errors: [{ filename: 'a', code: 'file.unsupported_type', message: 'No.' }],
			cursor: ''
		};
		expect(() => accepted(JSON.stringify(body), 415)).toThrow(
			expect.objectContaining({ code: 'file.unsupported_type' })
		);
	});

	it('that is not ours is still a sentence', () => {
		expect(() => accepted('<html>502 Bad Gateway</html>', 502)).toThrow('The server answered with 502.');
	});
});

it('TypeScript is not taken for a film', () => {
	const file = (name: string, type: string) => ({ name, type, size: 5 });
	expect(refusalBeforeSending(file('page.ts', 'video/mp2t'), 100)).toBeUndefined();
	expect(refusalBeforeSending(file('film.mp4', 'video/mp4'), 100)?.code).toBe('file.unsupported_type');
});
