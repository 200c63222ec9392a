// The clients' side of the benchmark: thousands of connections in a process of its own, on bare sockets so that they
// cost little themselves. Several source addresses, since one has too few ports to come back with.
import { connect, type Socket } from 'node:net';
import { type Collected, type Connected, type Order, sharedNow } from './protocol.ts';

const addresses = 20;
const openAtOnce = 200;

type Client = { socket: Socket | undefined; cookie: string; lastId: string; address: string };

const clients: Client[] = [];
const sinks: Socket[] = [];
let collected: Collected = { delaysMs: [], arrivals: [] };

process.on('message', (order: Order) => {
	void answer(order).then((result) => process.send?.(result ?? null));
});

async function answer(order: Order): Promise<unknown> {
	switch (order.do) {
		case 'connect':
			for (let n = 0; n < order.count; n += 1) {
				const cookie = order.cookies[n % order.cookies.length] ?? '';
				clients.push({ socket: undefined, cookie, lastId: '', address: `127.0.0.${2 + (n % addresses)}` });
			}
			return openAll(order.url, () => 0);
		case 'storm':
			for (const { socket } of clients) socket?.destroy();
			return openAll(order.url, (attempt) => Math.random() * Math.min(10_000, 250 * 2 ** attempt));
		case 'stall': {
			const socket = connect(portOf(order.url), '127.0.0.1').pause();
			socket.on('error', () => undefined).write(request(order.cookie, ''));
			sinks.push(socket);
			return undefined;
		}
		case 'collect': {
			const result = collected;
			collected = { delaysMs: [], arrivals: [] };
			return result;
		}
		case 'release':
			for (const socket of [...sinks, ...clients.map((client) => client.socket)]) socket?.destroy();
			clients.length = 0;
			return undefined;
		default:
			throw new Error(`not for a client: ${order.do}`);
	}
}

async function openAll(url: string, waitMs: (attempt: number) => number): Promise<Connected> {
	const startedAt = sharedNow();
	const queue = clients.filter(({ socket }) => !socket || socket.destroyed);
	const isStorm = waitMs(3) > 0;
	let refused = 0;
	let attempts = 0;
	const openOne = async (client: Client) => {
		for (let attempt = 0; ; attempt += 1) {
			await new Promise((resolve) => setTimeout(resolve, waitMs(attempt)));
			attempts += 1;
			if (await open(client, portOf(url))) return;
			refused += 1;
			if (attempt > 12) throw new Error('a client could not connect');
		}
	};
	// A storm is everybody at once; otherwise one after the other, a few hundred at a time.
	if (isStorm) await Promise.all(queue.map(openOne));
	else {
		const next = async () => {
			for (let client = queue.shift(); client; client = queue.shift()) await openOne(client);
		};
		await Promise.all(Array.from({ length: openAtOnce }, next));
	}
	return { ms: sharedNow() - startedAt, refused, attempts };
}

/** True when the first event has come. */
function open(client: Client, port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ port, host: '127.0.0.1', localAddress: client.address });
		client.socket = socket;
		socket.setEncoding('latin1');
		socket.on('error', () => resolve(false));
		socket.on('close', () => resolve(false));
		socket.on('data', (text: string) => {
			const at = sharedNow();
			if (text.includes('event: connected')) resolve(true);
			take(client, text, at);
		});
		socket.write(request(client.cookie, client.lastId));
	});
}

function take(client: Client, text: string, at: number): void {
	for (const [, sentAt] of text.matchAll(/"t":([\d.]+)/g)) collected.delaysMs.push(at - Number(sentAt));
	for (const [, id, rev] of text.matchAll(/event: file-update\ndata: \{.*?"id":"([\w-]+)".*?"rev":(\d+)/g))
		collected.arrivals.push([`${id} ${rev}`, at]);
	const ids = [...text.matchAll(/^id: (\S+)$/gm)];
	client.lastId = ids.at(-1)?.[1] ?? client.lastId;
}

function request(cookie: string, lastId: string): string {
	const resume = lastId ? `Last-Event-ID: ${lastId}\r\n` : '';
	return `GET /api/files/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n${resume}\r\n`;
}

function portOf(url: string): number {
	return Number(new URL(url).port);
}
