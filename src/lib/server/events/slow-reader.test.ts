// Readers who do not read, on real sockets: once through the raw response, once through Kit's kind of stream.
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aFile } from '../../../../tests/support/a-file.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { pumpStream } from '../../../../tests/support/live.ts';
import { openSse, type SseClient } from '../../../../tests/support/sse.ts';
import type { Change, FileChanges } from '../files/changes.ts';
import { createMetrics } from '../metrics.ts';
import { Connection, giveUpMs } from './connection.ts';
import { createFrameCounts } from './frame-counts.ts';
import { ownScope } from '../files/reach.ts';
import { Hub } from './hub.ts';
import { RawSink } from './raw-sink.ts';
import { createWebSink } from './web-sink.ts';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;
const fileCount = 500;

describe.each(['raw', 'web'])('a reader who does not read, over the %s sink', (kind) => {
	let hub: Hub;
	let server: Server;
	let url: string;
	let stalled: Socket;
	let neighbour: SseClient;
	let arrivals: Map<string, number>;
	let connections: Connection[];
	const metrics = createMetrics();

	beforeEach(async () => {
		connections = [];
		hub = new Hub({ metrics, onFirst: async () => undefined, onLast: () => undefined });
		server = createServer((request, response) => {
			const visitor = {
				session: { id: 's', userId: 'ada' },
				cursor: undefined,
				scope: ownScope('ada'),
				client: undefined,
				user: undefined,
				events: undefined
			};
			const deps = {
				hub,
				changes: noFilesYet,
				metrics,
				counts: createFrameCounts(metrics),
				heartbeatSeconds: 30
			};
			const web = kind === 'web' ? createWebSink(() => request.socket.destroy()) : undefined;
			const connection = new Connection(deps, visitor, web ?? new RawSink(response));
			connections.push(connection);
			void connection.start(undefined);
			if (web) void pumpStream(web.stream, response.setHeader('content-type', 'text/event-stream'));
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		url = `http://127.0.0.1:${port}/`;
		stalled = connect(port, '127.0.0.1').pause();
		stalled.on('error', () => undefined);
		stalled.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
		await eventually(() => expect(connections).toHaveLength(1));
		arrivals = new Map();
		neighbour = await openSse(url, {
			isKept: false,
			onFrame: ({ event, data, at }) =>
				arrivals.set((data.file as { id: string } | undefined)?.id ?? event, at)
		});
		await eventually(() => expect(arrivals.has('snapshot')).toBe(true));
	});
	afterEach(() => {
		stalled.destroy();
		neighbour.close();
		server.closeAllConnections();
		server.close();
	});

	it('costs less than 5 MiB under 200,000 events, and his neighbour gets everything in time', async () => {
		// Above what the kernel takes: from here on it is our memory.
		await publishUntilStalled();
		const before = usedBytes();
		let rev = 1_000_000;
		const delays: number[] = [];
		for (let round = 0; round < 400; round += 1) {
			hub.publish('ada', all((rev += 1)), `e.${rev}`);
			if (round % 20 === 0) delays.push(await delayOfNeighbour((rev += 1)));
			else await new Promise((resolve) => setImmediate(resolve));
		}
		// Buffers that were let go are counted until their memory has been swept.
		await eventually(() => expect(usedBytes() - before).toBeLessThan(5 * 1024 * 1024), { everyMs: 100 });
		delays.sort((a, b) => a - b);
		expect(delays[Math.floor(delays.length / 2)]).toBeLessThan(50);
	}, 60_000);

	it('is told the latest state of each file, and the id, when he reads again', async () => {
		await publishUntilStalled();
		for (let rev = 1_000_000; rev < 1_000_200; rev += 1) hub.publish('ada', all(rev), `e.${rev}`);
		let text = '';
		stalled.on('data', (bytes) => (text += bytes.toString())).resume();
		await eventually(() => expect(text).toContain('id: e.1000199'));
		expect(text.split('"rev":1000199').length - 1).toBe(fileCount);
		expect(text).not.toContain('"rev":1000198');
	});

	it('is cut after thirty seconds, so that he can come back', async () => {
		await publishUntilStalled();
		const now = performance.now();
		const [cut, other] = connections;
		cut?.tend(now + giveUpMs - 1000);
		expect(cut?.isClosed).toBe(false);
		cut?.tend(now + giveUpMs + 1000);
		expect(cut?.isClosed).toBe(true);
		expect([...hub.listeners()]).toEqual([other]);
		expect((await metrics.slowReaders.get()).values[0]?.value).toBeGreaterThan(0);
		stalled.resume();
		await eventually(() => expect(stalled.closed).toBe(true));
	});

	async function publishUntilStalled(): Promise<void> {
		let rev = 10;
		await eventually(
			() => {
				hub.publish('ada', all((rev += 1)), `e.${rev}`);
				expect(connections[0]?.isStalled).toBe(true);
			},
			{ timeoutMs: 20_000, everyMs: 1 }
		);
	}

	async function delayOfNeighbour(rev: number): Promise<number> {
		const id = fileId(fileCount + (rev % 1000));
		const file = aFile({ id, rev, status: 'completed', progress: 100 });
		const sentAt = performance.now();
		hub.publish('ada', [{ id, rev, file }], `e.${rev}`);
		return eventually(
			() => {
				const at = arrivals.get(id);
				if (at === undefined) throw new Error('not yet');
				return at - sentAt;
			},
			{ everyMs: 1 }
		);
	}
});

function all(rev: number): Change[] {
	// Every change of a stage goes out at once: nothing of this is spared by conflation in time.
	const processing_stage = rev % 2 ? 'extraction' : 'embedding';
	return Array.from({ length: fileCount }, (_, n) => {
		const id = fileId(n);
		return { id, rev, file: aFile({ id, rev, processing_stage }) };
	});
}

function fileId(n: number): string {
	return `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

function usedBytes(): number {
	collectGarbage();
	const { heapUsed, external, arrayBuffers } = process.memoryUsage();
	return heapUsed + external + arrayBuffers;
}

const noFilesYet = {
	snapshot: async () => ({ files: [], cursor: 'e.1', next: undefined })
} as unknown as FileChanges;
