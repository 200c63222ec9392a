// One attempt: one request, signed by the Standard Webhooks convention. Redirects are not followed, no connection is
// kept, and of the answer only its status is used: a body shown to the person would turn an allowed private address
// into a window.
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Webhook } from 'standardwebhooks';
import { AppError } from '../errors.ts';
import { type Addresses, AddressRefused } from './address.ts';

export type Message = {
	id: string;
	url: string;
	/** Each signs: a receiver that has not got the new one yet knows the old one. */
	secrets: readonly string[];
	body: string;
};
export type Outcome = {
	isDelivered: boolean;
	/** undefined: there was no answer. */
	status: number | undefined;
	/** For the person whose webhook it is. */
	error: string | null;
	durationMs: number;
};

const maxBodyBytes = 64 * 1024;

export type Send = ReturnType<typeof createSend>;

export function createSend({ addresses, timeoutMs = 15_000 }: { addresses: Addresses; timeoutMs?: number }) {
	return async function send(message: Message, stopping: AbortSignal): Promise<Outcome> {
		const startedAt = performance.now();
		const durationMs = () => Math.round(performance.now() - startedAt);
		const timeout = AbortSignal.timeout(timeoutMs);
		try {
			const status = await post(addresses, message, AbortSignal.any([timeout, stopping]));
			return { ...judge(status), status, durationMs: durationMs() };
		} catch (error) {
			stopping.throwIfAborted();
			const reason = timeout.aborted ? `No answer within ${timeoutMs / 1000} s.` : reasonOf(error);
			return { isDelivered: false, status: undefined, error: reason, durationMs: durationMs() };
		}
	};
}

async function post(addresses: Addresses, message: Message, signal: AbortSignal): Promise<number> {
	const { id, secrets, body } = message;
	const url = addresses.check(message.url);
	const now = new Date();
	const headers = {
		'content-type': 'application/json',
		'content-length': Buffer.byteLength(body),
		'user-agent': 'Asura-Webhooks/1',
		'webhook-id': id,
		'webhook-timestamp': Math.floor(now.getTime() / 1000),
		'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' ')
	};
	const request = url.protocol === 'https:' ? requestHttps : requestHttp;
	return new Promise((resolve, reject) => {
		const { lookup } = addresses;
		request(url, { method: 'POST', headers, agent: false, lookup, signal }, (answer) => {
			resolve(answer.statusCode ?? 0);
			forget(answer);
		})
			.on('error', reject)
			// An answer that is none (101) closes the connection without an error.
			.on('close', () => reject(new Error('The connection was closed without an answer.')))
			.end(body);
	});
}

/** Read to its end, so that the receiver does not see its connection break, but not for ever. */
function forget(answer: IncomingMessage): void {
	let bytes = 0;
	// The status is all that was wanted; what breaks afterwards concerns nobody.
	answer.on('error', () => undefined);
	answer.on('data', (chunk: Buffer) => {
		bytes += chunk.length;
		if (bytes > maxBodyBytes) answer.destroy();
	});
}

function judge(status: number): Pick<Outcome, 'isDelivered' | 'error'> {
	if (status >= 200 && status < 300) return { isDelivered: true, error: null };
	if (status >= 300 && status < 400) {
		return { isDelivered: false, error: `The receiver redirects (${status}), which is not followed.` };
	}
	return { isDelivered: false, error: `The receiver answered ${status}.` };
}

function reasonOf(error: unknown): string {
	if (error instanceof AppError) return error.message;
	if (error instanceof AddressRefused) return 'The name leads to an address that is not public.';
	const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
	return `The receiver cannot be reached${code}.`;
}
