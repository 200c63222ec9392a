// What can stand between a browser and the server: passes everything on, or freezes, or holds an event stream back
// until it ends (as a buffering proxy does), or is cut off.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ProxyMode = 'pass' | 'freeze' | 'buffer' | 'refuse';

export type Proxy = {
	origin: string;
	mode: ProxyMode;
	/** Where requests go; a restarted server has another address. */
	target: string;
	/** Paths that were asked for. */
	asked: string[];
	/** Cuts every open connection. */
	cut(): void;
	close(): Promise<void>;
};

export async function startProxy(target: string): Promise<Proxy> {
	const server = createServer((incoming, outgoing) => pass(proxy, incoming, outgoing));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const proxy: Proxy = {
		origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		mode: 'pass',
		target,
		asked: [],
		cut: () => server.closeAllConnections(),
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			})
	};
	return proxy;
}

function pass(proxy: Proxy, incoming: IncomingMessage, outgoing: ServerResponse): void {
	proxy.asked.push(incoming.url ?? '');
	if (proxy.mode === 'refuse') return void incoming.socket.destroy();
	const { pathname, search } = new URL(incoming.url ?? '/', proxy.target);
	const upstream = request(
		new URL(pathname + search, proxy.target),
		{
			method: incoming.method,
			headers: { ...incoming.headers, host: new URL(proxy.target).host },
			agent: false
		},
		(answer) => {
			const isHeld = proxy.mode === 'buffer' && answer.headers['content-type'] === 'text/event-stream';
			const held: Buffer[] = [];
			if (!isHeld) outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
			answer.on('data', (bytes: Buffer) => {
				if (isHeld) held.push(bytes);
				else if (proxy.mode !== 'freeze') outgoing.write(bytes);
			});
			answer.on('end', () => {
				if (isHeld) outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
				outgoing.end(Buffer.concat(held));
			});
			answer.on('error', () => outgoing.destroy());
		}
	);
	upstream.on('error', () => outgoing.destroy());
	outgoing.on('close', () => upstream.destroy());
	incoming.pipe(upstream);
}
