// The receiver of webhooks, in the hands of a test: a real server that keeps what it was sent and answers as it is told.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

export type Received = { headers: IncomingHttpHeaders; body: string; message: { type: string; data: Data } };
type Data = Record<string, unknown>;

export type Receiver = {
	url: string;
	received: Received[];
	/** 200 unless a test says otherwise; may never answer. */
	answer: (response: ServerResponse, index: number) => void | Promise<void>;
	ids(): (string | undefined)[];
	types(): string[];
	close(): Promise<void>;
};

export async function startReceiver(port = 0): Promise<Receiver> {
	const server = createServer((request, response) => {
		void text(request).then(async (body) => {
			const index = receiver.received.push({ headers: request.headers, body, message: JSON.parse(body) }) - 1;
			await receiver.answer(response, index);
		});
	});
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	const receiver: Receiver = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
		received: [],
		answer: (response) => void response.end('thanks'),
		ids: () => receiver.received.map(({ headers }) => String(headers['webhook-id'])),
		types: () => receiver.received.map(({ message }) => message.type),
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			})
	};
	return receiver;
}

/** Throws unless the signature is right, as a receiver's own library does. */
export function verify(secret: string, { body, headers }: Received): unknown {
	return new Webhook(secret).verify(body, headers as Record<string, string>);
}
