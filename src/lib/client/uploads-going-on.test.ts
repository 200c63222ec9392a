// Pausing, going on, and what is there already.
import { describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { aFile } from '../../../tests/support/a-file.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { ApiError, offline } from './api.ts';
import type { Checked } from './known.ts';
import { uploadActionsFor } from './upload-actions.ts';
import { ending, type Send } from './upload.ts';
import { type Upload, Uploads, type UploadsOptions } from './uploads.svelte.ts';

type Call = Parameters<Send>[1] & { answer: (file: StoredFile) => void; refuse: (error: unknown) => void };

function setUp(options: Partial<UploadsOptions> = {}) {
	const calls: Call[] = [];
	const stored: StoredFile[] = [];
	const abandoned: Upload[] = [];
	const send: Send = (_, given) =>
		new Promise((answer, refuse) => {
			given.signal.addEventListener('abort', () => refuse(given.signal.reason));
			calls.push({ ...given, answer, refuse });
		});
	const uploads = new Uploads({
		send,
		maxFileBytes: 1e6,
		newest: () => '',
		onStored: (file) => stored.push(file),
		onAbandoned: (upload) => abandoned.push(upload),
		random: () => 0,
		...options
	});
	const add = (...names: string[]) => {
		uploads.add(names.map((name) => ({ file: new File([new Uint8Array(100)], name), folder: 'Trips' })));
		return uploads.list;
	};
	return { calls, stored, abandoned, uploads, add };
}

describe('an upload that is paused', () => {
	it('stops, lets the next one go, and goes on without its bar going back', async () => {
		const { uploads, calls, add, stored } = setUp();
		const [first, ...others] = add('a', 'b', 'c', 'd');
		if (!first) throw new Error('nothing was added');
		calls[0]?.onSent(60);
		uploads.pause(first);
		expect(calls[0]?.signal.reason).toBe(ending.paused);
		expect([first.state, first.sentBytes]).toEqual(['paused', 60]);
		await eventually(() => expect(others.at(-1)?.state).toBe('sending'));

		calls[1]?.answer(aFile());
		uploads.resume(first);
		await eventually(() => expect(calls).toHaveLength(5));
		calls[4]?.onSent(40);
		expect(first.sentBytes).toBe(60);
		calls[4]?.answer(aFile({ id: '00000000-0000-4000-8000-000000000002' }));
		await eventually(() => expect(stored).toHaveLength(2));
	});

	it('begins again where nothing of it stays, and its bar says so', async () => {
		const { uploads, calls, add } = setUp({ beginsAgain: () => true, random: () => 0.9 });
		const [first] = add('a');
		if (!first) throw new Error('nothing was added');
		calls[0]?.onSent(60);
		uploads.pause(first);
		expect(first.sentBytes).toBe(0);
		uploads.resume(first);
		await eventually(() => expect(calls).toHaveLength(2));
		calls[1]?.onSent(40);
		calls[1]?.refuse(new ApiError(offline, 0));
		await eventually(() => expect([first.state, first.sentBytes]).toEqual(['stalled', 0]));
	});

	it('and then stopped for good is told to whoever keeps what had arrived', () => {
		const { uploads, calls, add, abandoned } = setUp();
		const [first] = add('a');
		if (!first) throw new Error('nothing was added');
		calls[0]?.onSent(60);
		uploads.pause(first);
		uploads.remove(first);
		expect(abandoned).toEqual([first]);
		expect(uploads.list).toEqual([]);
	});
});

describe('an upload whose line breaks', () => {
	it('goes on by itself, and earlier when the line is said to be back', async () => {
		const { uploads, calls, add } = setUp({ random: () => 1 });
		const [first] = add('a');
		calls[0]?.refuse(new ApiError(offline, 0));
		await eventually(() => expect(first?.state).toBe('stalled'));
		expect(uploads.isBusy).toBe(true);
		uploads.wake();
		await eventually(() => expect(calls).toHaveLength(2));
		calls[1]?.refuse(new ApiError({ code: 'server.stopping', message: '' }, 503));
		await eventually(() => expect(calls).toHaveLength(3));
	});

	it('is not tried again for ever when it is the file that is gone', async () => {
		const { uploads, calls } = setUp();
		const file = new File(['x'], 'gone.txt');
		file.slice = () =>
			({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) }) as unknown as Blob;
		uploads.add([{ file, folder: '' }]);
		calls[0]?.refuse(new ApiError(offline, 0));
		await eventually(() => expect(uploads.list[0]?.error?.message).toBe('The file has changed, or is gone.'));
	});

	it('is not sent again when it had arrived and only the answer was lost', async () => {
		const arrived = aFile();
		const { calls, add, stored, uploads } = setUp({ findArrived: async () => arrived });
		add('a');
		calls[0]?.refuse(new ApiError(offline, 0));
		await eventually(() => expect(stored).toEqual([arrived]));
		expect(calls).toHaveLength(1);
		expect(uploads.list).toEqual([]);
	});
});

describe('a file that is there already', () => {
	const known: Checked = { sha256: 'a'.repeat(64), known: aFile() };

	it('waits for a word, and is sent when a second entry is wanted', async () => {
		const { uploads, calls, add } = setUp({ check: async () => known });
		const [first] = add('a');
		await eventually(() => expect(uploads.known).toEqual([first]));
		expect(calls).toEqual([]);
		if (first) expect(uploadActionsFor(first)).toEqual(['keep', 'remove']);
		uploads.keep(...uploads.known);
		expect(calls[0]).toMatchObject({ sha256: known.sha256, folder: 'Trips' });
	});

	it('holds up no other, and is not asked for twice when it was paused meanwhile', async () => {
		const checks: ((checked: Checked) => void)[] = [];
		const check = () => new Promise<Checked>((resolve) => checks.push(resolve));
		const { uploads, calls, add } = setUp({ check });
		const [first] = add('a', 'b');
		if (!first) throw new Error('nothing was added');
		uploads.pause(first);
		checks[0]?.(known);
		checks[1]?.({ sha256: undefined, known: undefined });
		await eventually(() => expect(calls).toHaveLength(1));
		expect(first.state).toBe('paused');
		uploads.resume(first);
		expect(first.state).toBe('known');
		expect(checks).toHaveLength(2);
	});
});
