import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamMessage } from '#lib/shared/events.ts';
import { aFile } from '../../../tests/support/a-file.ts';
import { FakeTab } from '../../../tests/support/outside.ts';
import { backoffMs } from './backoff.ts';
import { type Connection, Stream } from './stream.ts';

const connected = {
	eventType: 'connected',
	connectionId: 'one',
	heartbeatSeconds: 30,
	cursor: null
} as const;
const heartbeat = { eventType: 'heartbeat', cursor: 'e.9', active: 0, digest: '0-0' } as const;
const update = { eventType: 'file-update', file: aFile() } as const;

describe('the stream of a browser', () => {
	let tab: FakeTab;
	let stream: Stream;
	let messages: StreamMessage[];
	let heard: string[];
	let shown: Connection[];

	beforeEach(() => {
		vi.useFakeTimers();
		tab = new FakeTab();
		messages = [];
		heard = [];
		shown = [];
		stream = new Stream({
			outside: tab,
			user: 'ada',
			events: ['notification'],
			onMessage: (message) => messages.push(message),
			onEvent: ({ eventType }) => heard.push(eventType),
			onConnection: (connection) => shown.push(connection)
		});
		stream.start();
	});
	afterEach(() => {
		stream.close();
		expect(vi.getTimerCount()).toBe(0);
		vi.useRealTimers();
	});

	it('hands on every message and remembers the last cursor', () => {
		expect(stream.state).toBe('connecting');
		tab.source.say(connected);
		tab.source.say(update, 'e.7');
		tab.source.say(update);
		expect(messages.map(({ eventType }) => eventType)).toEqual(['connected', 'file-update', 'file-update']);
		expect(stream.state).toBe('live');
		expect(stream.isOpen).toBe(true);
		expect(stream.cursor).toBe('e.7');
		expect(tab.source.url.searchParams.get('user')).toBe('ada');
	});

	it('continues from the cursor after a pause when the connection breaks', () => {
		tab.source.say(connected);
		tab.source.say(update, 'e.7');
		tab.source.fail();
		expect(tab.source.isClosed).toBe(true);
		expect(stream.connection).toEqual({ state: 'reconnecting', retryAt: Date.now() + 250 });
		vi.advanceTimersByTime(249);
		expect(tab.sources).toHaveLength(1);
		vi.advanceTimersByTime(1);
		expect(tab.sources).toHaveLength(2);
		expect(tab.source.cursor).toBe('e.7');
		tab.source.say({ ...connected, cursor: 'e.7' });
		expect(stream.state).toBe('live');
	});

	it('ignores and counts what is no message, and goes on', () => {
		tab.source.say(connected);
		tab.source.sayRaw('file-update', '{"eventType":"file-upd');
		tab.source.sayRaw('file-update', '{"eventType":"file-update","timestamp":"","file":{"id":7}}');
		tab.source.say(update);
		expect(stream.malformed).toBe(2);
		expect(messages).toHaveLength(2);
		expect(stream.state).toBe('live');
	});

	it('is live when events flow, although the first of them could not be read', () => {
		tab.source.sayRaw('connected', '{');
		tab.source.say(heartbeat, 'e.9');
		expect(stream.state).toBe('live');
		vi.advanceTimersByTime(75_000);
		expect(stream.state).toBe('reconnecting');
	});

	it('takes 75 seconds of silence for a dead connection', () => {
		tab.source.say(connected);
		vi.advanceTimersByTime(60_000);
		tab.source.say(heartbeat, 'e.9');
		vi.advanceTimersByTime(74_999);
		expect(stream.state).toBe('live');
		vi.advanceTimersByTime(1);
		expect(stream.state).toBe('reconnecting');
		expect(tab.source.isClosed).toBe(true);
	});

	it('waits twice as long after each failure, ten seconds at most', () => {
		tab.source.say(connected);
		tab.source.fail();
		const waits: number[] = [];
		for (let n = 0; n < 8; n += 1) {
			waits.push((stream.connection.retryAt ?? 0) - Date.now());
			vi.advanceTimersToNextTimer();
			tab.source.say(connected);
			tab.source.fail();
		}
		expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
	});

	it('begins with short waits again after a connection that lasted', () => {
		for (let n = 0; n < 4; n += 1) {
			tab.source.say(connected);
			tab.source.fail();
			vi.advanceTimersToNextTimer();
		}
		tab.source.say(connected);
		vi.advanceTimersByTime(10_000);
		tab.source.fail();
		expect((stream.connection.retryAt ?? 0) - Date.now()).toBe(250);
	});

	it('spreads the waits of many clients evenly', () => {
		const waits = Array.from({ length: 10_000 }, () => backoffMs(3, Math.random()));
		expect(waits.filter((ms) => ms < 500).length / 10_000).toBeCloseTo(0.25, 1);
		expect(Math.max(...waits)).toBeLessThanOrEqual(2000);
	});

	it.each(['online', 'visibilitychange'])('tries at once on %s instead of waiting', (event) => {
		for (let n = 0; n < 7; n += 1) {
			tab.source.say(connected);
			tab.source.fail();
			if (n < 6) vi.advanceTimersToNextTimer();
		}
		const before = tab.sources.length;
		tab.page.dispatchEvent(new Event(event));
		expect(tab.sources).toHaveLength(before + 1);
	});

	it('is not called live any more when the browser has lost its line', () => {
		tab.source.say(connected);
		tab.page.dispatchEvent(new Event('offline'));
		expect(stream.state).toBe('reconnecting');
		tab.page.dispatchEvent(new Event('online'));
		tab.source.say(connected);
		expect(stream.state).toBe('live');
	});

	it('finds a connection that died while the computer slept as soon as somebody looks', () => {
		tab.source.say(connected);
		vi.setSystemTime(Date.now() + 3_600_000);
		tab.page.dispatchEvent(new Event('visibilitychange'));
		expect(stream.state).toBe('reconnecting');
	});

	it('polls from the same cursor when no event arrives within two seconds', async () => {
		tab.source.say(connected);
		tab.source.say(update, 'e.7');
		tab.source.fail();
		vi.advanceTimersToNextTimer();
		vi.advanceTimersByTime(2000);
		expect(tab.source.isClosed).toBe(true);
		expect(tab.request.url.searchParams.get('cursor')).toBe('e.7');
		expect(stream.state).toBe('reconnecting');
		const told = { timestamp: '', id: crypto.randomUUID(), data: {} };
		await answer({
			changes: [{ ...update, timestamp: '' }],
			events: [
				{ ...told, eventType: 'notification' },
				{ ...told, eventType: 'not-asked-for' }
			],
			cursor: 'e.12'
		});
		expect(stream.state).toBe('polling');
		expect(heard).toEqual(['notification']);
		expect(messages.at(-1)).toMatchObject({ eventType: 'file-update' });
		await vi.advanceTimersByTimeAsync(250);
		expect(tab.requests).toHaveLength(2);
		expect(tab.request.url.searchParams.get('cursor')).toBe('e.12');
		expect(tab.request.url.searchParams.get('wait')).toBe('25');
	});

	it('tries events again beside the polling, and returns when they flow', async () => {
		vi.advanceTimersByTime(2000);
		await answer({ changes: [], cursor: 'e.3' });
		await vi.advanceTimersByTimeAsync(5000);
		expect(tab.sources).toHaveLength(2);
		await vi.advanceTimersByTimeAsync(2000);
		expect(tab.source.isClosed).toBe(true);
		expect(stream.state).toBe('polling');
		await vi.advanceTimersByTimeAsync(10_000);
		expect(tab.sources).toHaveLength(3);
		tab.source.say({ ...connected, cursor: 'e.3' });
		expect(stream.state).toBe('live');
		expect(tab.request.signal.aborted).toBe(true);
		const asked = tab.requests.length;
		await vi.advanceTimersByTimeAsync(60_000);
		expect(tab.requests).toHaveLength(asked);
	});

	it('says signed out when the server does, and stays so', async () => {
		tab.source.fail();
		tab.request.answer(401, { code: 'auth.required' });
		await vi.advanceTimersByTimeAsync(0);
		expect(stream.state).toBe('signed-out');
		tab.page.dispatchEvent(new Event('online'));
		await vi.advanceTimersByTimeAsync(60_000);
		expect(tab.sources).toHaveLength(1);
	});

	it.each(['signed_out', 'session_expired'] as const)('takes bye with %s for the end', (reason) => {
		tab.source.say(connected);
		tab.source.say({ eventType: 'bye', reason });
		expect(stream.state).toBe('signed-out');
		expect(tab.source.isClosed).toBe(true);
	});

	it('comes back after bye with shutdown', () => {
		tab.source.say(connected);
		tab.source.say({ eventType: 'bye', reason: 'shutdown' });
		expect(stream.state).toBe('reconnecting');
	});

	it('waits and begins anew when the server cannot be reached either way', async () => {
		tab.source.fail();
		tab.request.fail();
		await vi.advanceTimersByTimeAsync(0);
		expect(stream.state).toBe('reconnecting');
		await vi.advanceTimersByTimeAsync(250);
		expect(tab.sources).toHaveLength(2);
	});

	it('fetches everything anew on request, without a cursor', () => {
		tab.source.say(connected);
		tab.source.say(update, 'e.7');
		stream.refetch();
		expect(tab.sources).toHaveLength(2);
		expect(tab.source.cursor).toBeNull();
		expect(stream.state).toBe('live');
	});

	it('is silent after it was closed', () => {
		tab.source.say(connected);
		const { source } = tab;
		stream.close();
		source.say(update);
		source.fail();
		expect(messages).toHaveLength(1);
		expect(stream.state).toBe('closed');
		expect(stream.isOpen).toBe(false);
	});

	async function answer(body: unknown): Promise<void> {
		tab.request.answer(200, body);
		await vi.advanceTimersByTimeAsync(0);
	}
});
