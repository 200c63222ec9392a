import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../../tests/support/eventually.ts';
import {
	createRealtimeDouble,
	fileRow,
	type RealtimeDouble
} from '../../../../../tests/support/supabase-realtime-double.ts';
import { silentLog } from '../../log.ts';
import type { Stop } from '../platform.ts';
import { createSupabaseRealtime, type RealtimeOptions } from './realtime.ts';

const supabase = {
	url: 'https://abc.supabase.co',
	publishableKey: 'sb_publishable_x',
	secretKey: 'sb_secret_x'
};
const [ada, bob] = [randomUUID(), randomUUID()];

let realtime: RealtimeDouble;
let rings: (string | undefined)[];
let stop: Stop;
beforeEach(() => {
	realtime = createRealtimeDouble();
	rings = [];
	stop = async () => undefined;
});
afterEach(() => stop());

async function subscribe(options: Partial<RealtimeOptions> = {}): Promise<void> {
	const feed = createSupabaseRealtime({
		supabase,
		log: silentLog,
		openMs: 2000,
		retryMs: [5, 10],
		transport: realtime.Socket as unknown as typeof WebSocket,
		...options
	});
	stop = await feed.subscribe((userId) => rings.push(userId));
}

const ringsForEverybody = () => rings.filter((userId) => userId === undefined).length;
const untilOpened = (times: number) => eventually(() => expect(ringsForEverybody()).toBe(times));

describe('Supabase Realtime as a doorbell, against a scripted double,', () => {
	test('joins once with the secret key, for the changes of public.files', async () => {
		await subscribe();
		await untilOpened(1);
		expect(realtime.connections).toHaveLength(1);
		const [connection] = realtime.open();
		expect(connection?.address.pathname).toBe('/realtime/v1/websocket');
		expect(Object.fromEntries(connection?.address.searchParams ?? [])).toMatchObject({
			apikey: supabase.secretKey,
			vsn: '2.0.0'
		});
		expect(connection?.joins).toMatchObject([
			{ config: { postgres_changes: [{ event: '*', schema: 'public', table: 'files' }] } }
		]);
	});

	test('rings for the person whose row changed, and for everybody when the row does not say', async () => {
		await subscribe();
		await untilOpened(1);
		realtime.change('INSERT', fileRow(ada));
		realtime.change('UPDATE', fileRow(bob));
		realtime.change('DELETE', { id: randomUUID() });
		expect(rings).toEqual([undefined, ada, bob, undefined]);
	});

	test('says nothing before changes flow, though the channel was joined long before', async () => {
		realtime.flowsAfterMs = 300;
		await subscribe();
		await eventually(() => expect(realtime.open()[0]?.joins).toHaveLength(1));
		realtime.change('UPDATE', fileRow(ada));
		expect(rings).toEqual([]);
		await untilOpened(1);
		realtime.change('UPDATE', fileRow(ada));
		expect(rings).toEqual([undefined, ada]);
	});

	test('opens another line when changes never begin to flow', async () => {
		realtime.flowsAfterMs = null;
		await subscribe({ openMs: 50 });
		await eventually(() => expect(realtime.connections.length).toBeGreaterThan(2));
		expect(rings).toEqual([]);
		realtime.flowsAfterMs = 0;
		await untilOpened(1);
		expect(realtime.open()).toHaveLength(1);
	});

	test('rings for everybody after a broken connection: what happened meanwhile was missed', async () => {
		await subscribe();
		await untilOpened(1);
		realtime.open()[0]?.drop();
		realtime.change('UPDATE', fileRow(ada));
		await untilOpened(2);
		realtime.change('UPDATE', fileRow(bob));
		expect(rings).toEqual([undefined, undefined, bob]);
	});

	test('survives a channel that dies without a word: no line grows old', async () => {
		await subscribe({ renewMs: 100 });
		await untilOpened(1);
		realtime.open()[0]?.fallSilent();
		realtime.change('UPDATE', fileRow(ada));
		expect(rings).not.toContain(ada);
		await eventually(() => {
			realtime.change('UPDATE', fileRow(bob));
			expect(rings).toContain(bob);
		});
	});

	test('keeps the old line until the new one flows, and has one afterwards', async () => {
		await subscribe({ renewMs: 100 });
		await untilOpened(1);
		realtime.flowsAfterMs = 200;
		await eventually(() => expect(realtime.open()).toHaveLength(2));
		realtime.change('UPDATE', fileRow(ada));
		expect(rings).toContain(ada);
		await eventually(() => expect(realtime.open()).toHaveLength(1));
	});

	test('notices a connection that does not answer any more', async () => {
		await subscribe({ heartbeatMs: 30 });
		await untilOpened(1);
		realtime.answersHeartbeats = false;
		await eventually(() => expect(realtime.connections.length).toBeGreaterThan(1));
		realtime.answersHeartbeats = true;
		await eventually(() => expect(ringsForEverybody()).toBeGreaterThan(1));
	});

	test('comes back with a new connection, and so a new token, when its token has expired', async () => {
		await subscribe();
		await untilOpened(1);
		realtime.open()[0]?.shutDown('Token has expired 12 seconds ago');
		await untilOpened(2);
		expect(realtime.connections).toHaveLength(2);
		expect(realtime.open()).toHaveLength(1);
	});

	test.each([
		['refused', 'Unauthorized: You do not have permissions'],
		['not answered', null]
	])('asks again, with pauses, while its join is %s', async (_, refusal) => {
		realtime.refusal = refusal;
		await subscribe({ openMs: 50 });
		await eventually(() => expect(realtime.connections.length).toBeGreaterThan(2));
		expect(rings).toEqual([]);
		realtime.refusal = undefined;
		await untilOpened(1);
		expect(realtime.open()).toHaveLength(1);
	});

	test('keeps nobody from starting or stopping while the project is down', async () => {
		realtime.isDown = true;
		await subscribe({ retryMs: [60_000] });
		await eventually(() => expect(realtime.connections.length).toBeGreaterThan(0));
		await stop();
		expect(rings).toEqual([]);
	});

	test('leaves nothing open and rings no more once it is stopped', async () => {
		await subscribe();
		await untilOpened(1);
		const [line] = realtime.open();
		await stop();
		expect(realtime.open()).toEqual([]);
		line?.tell('UPDATE', fileRow(ada));
		expect(rings).toEqual([undefined]);
	});
});
