import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { aFile } from '../../../../tests/support/a-file.ts';
import { createMetrics } from '../metrics.ts';
import { createFrameCounts } from './frame-counts.ts';
import { toUpdate } from './frames.ts';
import { Outlet } from './outlet.ts';
import type { Sink, SinkEvents } from './sink.ts';

describe('the outlet of a connection', () => {
	beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }));
	afterEach(() => vi.useRealTimers());

	it('tells of ten thousand ticks a second at most five times, and of the end at once', () => {
		const { outlet, sink } = open();
		for (let tick = 1; tick <= 10_000; tick += 1) {
			outlet.put([update({ rev: tick, progress: tick / 200 })]);
			if (tick % 10 === 0) vi.advanceTimersByTime(1);
		}
		expect(sink.frames.length).toBeGreaterThan(3);
		expect(sink.frames.length).toBeLessThanOrEqual(5);
		outlet.put([update({ rev: 10_001, status: 'completed', progress: 100, processing_stage: null })]);
		expect(sink.frames.at(-1)).toMatchObject({ file: { status: 'completed', rev: 10_001 } });
		vi.advanceTimersByTime(1000);
		expect(sink.frames.at(-1)).toMatchObject({ file: { rev: 10_001 } });
	});

	it('lets a writer who ticks four times a second never wait, however uneven the way', () => {
		const { outlet, sink } = open();
		for (let rev = 1; rev <= 100; rev += 1) {
			vi.advanceTimersByTime(rev % 2 ? 20 : 0);
			outlet.put([update({ rev })]);
			expect(sink.revs().at(-1)).toBe(rev);
			vi.advanceTimersByTime(rev % 2 ? 230 : 250);
		}
	});

	it('tells the last tick although nothing follows it', () => {
		const { outlet, sink } = open();
		for (const rev of [1, 2, 3]) outlet.put([update({ rev })]);
		expect(sink.revs()).toEqual([1]);
		vi.advanceTimersByTime(250);
		expect(sink.revs()).toEqual([1, 3]);
	});

	it.each<[string, Partial<StoredFile>]>([
		['another stage', { processing_stage: 'chunking' }],
		['a failure', { status: 'failed', error_code: 'file.damaged' }],
		['a cancellation', { status: 'cancelled' }]
	])('never lets %s wait', (_, change) => {
		const { outlet, sink } = open();
		outlet.put([update({ rev: 1 })]);
		outlet.put([update({ rev: 2, ...change })]);
		expect(sink.revs()).toEqual([1, 2]);
	});

	it('never lets a deletion wait, and forgets the ticks before it', () => {
		const { outlet, sink } = open();
		outlet.put([update({ rev: 1 })]);
		outlet.put([update({ rev: 2 })]);
		outlet.put([toUpdate({ id: aFile().id, rev: 3, file: undefined })]);
		vi.advanceTimersByTime(1000);
		expect(sink.revs()).toEqual([1, 3]);
	});

	it('puts the id only on the last frame of a flush, and only when nothing waits any more', () => {
		const { outlet, sink } = open();
		const other = 'b0000000-0000-4000-8000-000000000002';
		outlet.put([update({ rev: 1 }), update({ rev: 1, id: other })], 'e.1');
		expect(sink.ids()).toEqual([undefined, 'e.1']);
		outlet.put([update({ rev: 2 }), update({ rev: 2, id: other, status: 'failed' })], 'e.2');
		expect(sink.ids()).toEqual([undefined, 'e.1', undefined]);
		vi.advanceTimersByTime(250);
		expect(sink.ids()).toEqual([undefined, 'e.1', undefined, 'e.2']);
	});

	it('collects until the past has been sent, and then drops what the past contained', () => {
		const { outlet, sink } = open({ isReleased: false });
		const other = 'b0000000-0000-4000-8000-000000000002';
		outlet.put([update({ rev: 4 }), update({ rev: 9, id: other })], 'e.5');
		expect(sink.frames).toEqual([]);
		outlet.release(
			'e.4',
			new Map([
				[aFile().id, 4],
				[other, 8]
			])
		);
		expect(sink.frames).toMatchObject([{ file: { id: other, rev: 9 } }]);
		expect(sink.ids()).toEqual(['e.5']);
	});

	it('writes nothing to a reader who does not read, and tells him the latest state when he does', () => {
		const { outlet, sink } = open();
		sink.unread = 64 * 1024;
		for (let rev = 1; rev <= 1000; rev += 1) outlet.put([update({ rev })], `e.${rev}`);
		outlet.flush({
			isForced: true,
			last: { event: 'heartbeat', body: Buffer.from('event: heartbeat\ndata: {}\n') }
		});
		expect(sink.frames).toEqual([]);
		vi.advanceTimersByTime(29_000);
		expect(outlet.stalledMs(performance.now())).toBeGreaterThanOrEqual(29_000);
		sink.unread = 0;
		outlet.onDrain();
		expect(sink.revs()).toEqual([1000]);
		expect(sink.ids()).toEqual(['e.1000']);
		expect(outlet.stalledMs(performance.now())).toBe(0);
	});

	it('stops in the middle of a large flush when the reader is full, and goes on from there', () => {
		const { outlet, sink } = open({ isReleased: false });
		sink.isSlow = true;
		const ids = Array.from(
			{ length: 400 },
			(_, n) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`
		);
		outlet.put(
			ids.map((id) => update({ id })),
			'e.9'
		);
		outlet.release('e.1');
		expect(sink.unread).toBeLessThan(2 * 64 * 1024);
		expect(sink.ids().every((id) => id === undefined)).toBe(true);
		while (sink.frames.length < 400) {
			sink.unread = 0;
			outlet.onDrain();
		}
		expect(sink.ids().at(-1)).toBe('e.9');
	});

	it('cuts a reader for whom named events pile up', () => {
		const { outlet, sink } = open();
		sink.unread = 64 * 1024;
		for (let n = 0; n < 101; n += 1)
			outlet.send('notification', Buffer.from('event: notification\ndata: {}\n\n'));
		expect(sink.isDestroyed).toBe(true);
		expect(outlet.isClosed).toBe(true);
	});

	it('has no timer left after it was closed', () => {
		const { outlet } = open();
		outlet.put([update({ rev: 1 })]);
		outlet.put([update({ rev: 2 })]);
		expect(vi.getTimerCount()).toBe(1);
		outlet.onClose();
		expect(vi.getTimerCount()).toBe(0);
		outlet.put([update({ rev: 3 })]);
		expect(vi.getTimerCount()).toBe(0);
	});
});

function update(changes: Partial<StoredFile> = {}) {
	const file = aFile(changes);
	return toUpdate({ id: file.id, rev: file.rev, file });
}

function open({ isReleased = true } = {}) {
	const sink = new FakeSink();
	const outlet = new Outlet({
		sink,
		counts: createFrameCounts(createMetrics()),
		owner: { onClosed: () => undefined }
	});
	if (isReleased) outlet.release('e.0');
	return { outlet, sink };
}

/** The reader's side: what he got, and how much he has not read. */
class FakeSink implements Sink {
	text = '';
	unread = 0;
	isSlow = false;
	isDestroyed = false;

	get frames(): Record<string, unknown>[] {
		return this.#fields('data').map((data) => JSON.parse(data ?? '{}') as Record<string, unknown>);
	}

	attach(_: SinkEvents): void {}

	write(bytes: Uint8Array): void {
		this.text += Buffer.from(bytes).toString();
		if (this.isSlow) this.unread += bytes.length;
	}

	pending(): number {
		return this.unread;
	}

	end(): void {}

	destroy(): void {
		this.isDestroyed = true;
	}

	ids(): (string | undefined)[] {
		return this.#fields('id');
	}

	revs(): unknown[] {
		return this.frames.map(({ file }) => (file as { rev: number }).rev);
	}

	#fields(name: string): (string | undefined)[] {
		const blocks = this.text.split('\n\n').filter(Boolean);
		return blocks.map((block) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]);
	}
}
