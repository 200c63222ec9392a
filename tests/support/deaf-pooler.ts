// A double of a pooler of transactions, as far as it matters: statements pass, notifications never come back.
import { createServer, connect, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { PostgresServer } from './postgres.ts';

const notification = 'A'.charCodeAt(0);

export async function startDeafPooler(postgres: PostgresServer) {
	const url = new URL(postgres.url);
	const socket = path.join(url.searchParams.get('host') ?? '', '.s.PGSQL.5432');
	const open = new Set<Socket>();
	const server = createServer((client) => {
		const upstream = connect(socket);
		for (const one of [client, upstream]) open.add(one.on('error', () => undefined));
		client.pipe(upstream);
		upstream.on(
			'data',
			withoutNotifications((message) => void client.write(message))
		);
		upstream.on('end', () => client.end());
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	url.search = '';
	url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		url: url.href,
		close: () => {
			for (const one of open) one.destroy();
			server.close();
		}
	};
}

/** Each message of the server is a letter, its length and its body. */
function withoutNotifications(send: (message: Buffer) => void): (chunk: Buffer) => void {
	let rest = Buffer.alloc(0);
	return (chunk) => {
		rest = Buffer.concat([rest, chunk]);
		while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
			const length = rest.readUInt32BE(1) + 1;
			if (rest[0] !== notification) send(rest.subarray(0, length));
			rest = rest.subarray(length);
		}
	};
}
