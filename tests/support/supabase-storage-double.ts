// A double of Supabase Storage's HTTP API, as its public sources answer: most refusals are a 400 whose body names the
// real status, objects are replaced as a whole, and the resumable part runs on the tus server that Storage itself
// uses. It keeps objects in memory, shows each to nobody but the holder of the secret key, and fails on demand.
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer, json } from 'node:stream/consumers';
import { FileStore } from '@tus/file-store';
import { Server as TusServer } from '@tus/server';
import { removeFolder } from './remove-folder.ts';

export type StorageFault =
	/** For one that is answered as it should be, before others are not. */
	| { kind: 'none' }
	| { kind: 'status'; status: number; retryAfterSeconds?: number }
	/** As Storage wraps a failure of its own into a 400. */
	| { kind: 'wrapped'; status: number }
	| { kind: 'reset' }
	/** The request is carried out, and its answer is lost. */
	| { kind: 'lost answer' }
	| { kind: 'silent' }
	/** Of a download: half of it, and then the connection ends, or says no more. */
	| { kind: 'cut' }
	| { kind: 'stall' };

export type Asked = { method: string; path: string; bytes: number };

export type StorageDouble = {
	url: string;
	secretKey: string;
	asked: Asked[];
	objects: Map<string, StoredObject>;
	/** undefined: no such bucket. */
	bucket: { public: boolean } | undefined;
	/** The next requests with this method fail so, in this order. */
	fail(method: string, ...faults: StorageFault[]): void;
	/** Answers that have begun and not ended. */
	open: number;
	stop(): Promise<void>;
};

type StoredObject = { bytes: Buffer; updatedAt: Date };

export async function startStorageDouble(): Promise<StorageDouble> {
	const uploads = await mkdtemp(path.join(tmpdir(), 'asura-tus-'));
	const faults: { method: string; fault: StorageFault }[] = [];
	const tus = createTus(
		uploads,
		(key, bytes) => void double.objects.set(key, { bytes, updatedAt: new Date() })
	);
	const server = createServer((request, response) => {
		const at = faults.findIndex(({ method }) => method === request.method);
		const fault = at < 0 ? undefined : faults.splice(at, 1)[0]?.fault;
		void answer(double, tus, request, response, fault).catch((error: unknown) =>
			response.destroy(error instanceof Error ? error : undefined)
		);
	});
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
	const double: StorageDouble = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		secretKey: `sb_secret_${randomUUID()}`,
		asked: [],
		objects: new Map(),
		bucket: { public: false },
		fail: (method, ...more) => void faults.push(...more.map((fault) => ({ method, fault }))),
		open: 0,
		async stop() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
			await removeFolder(uploads);
		}
	};
	return double;
}

async function answer(
	double: StorageDouble,
	tus: TusServer,
	request: IncomingMessage,
	response: ServerResponse,
	fault: StorageFault | undefined
): Promise<void> {
	const url = new URL(request.url ?? '/', double.url);
	const asked: Asked = {
		method: request.method ?? '',
		path: url.pathname,
		bytes: Number(request.headers['content-length'] ?? 0)
	};
	double.asked.push(asked);
	double.open++;
	response.once('close', () => void double.open--);
	if (fault?.kind === 'reset') return void request.socket.destroy();
	if (fault?.kind === 'silent') return;
	if (fault?.kind === 'lost answer') response.end = () => response.destroy();
	if (fault?.kind === 'status') {
		if (fault.retryAfterSeconds) response.setHeader('retry-after', fault.retryAfterSeconds);
		return void response.writeHead(fault.status).end('upstream says no');
	}
	if (fault?.kind === 'wrapped') return refuse(response, fault.status, 'DatabaseTimeout', 'timed out');
	const isTrusted =
		request.headers.authorization === `Bearer ${double.secretKey}` &&
		request.headers.apikey === double.secretKey;
	// Row-level security shows nothing to others, and says no more than that.
	if (!isTrusted && !url.searchParams.has('token'))
		return refuse(response, 404, 'NoSuchKey', 'Object not found');
	if (url.pathname.startsWith('/storage/v1/upload/resumable')) return tus.handle(request, response);
	await serve(double, { url, request, response, fault });
}

type Exchange = {
	url: URL;
	request: IncomingMessage;
	response: ServerResponse;
	fault: StorageFault | undefined;
};

async function serve(double: StorageDouble, exchange: Exchange): Promise<void> {
	const { url, request, response } = exchange;
	const [, verb = '', rest = ''] =
		/^\/storage\/v1\/(bucket|object\/(?:info|sign|list-v2)|object)\/(.*)$/.exec(url.pathname) ?? [];
	const [bucket = '', ...key] = rest.split('/');
	const name = decodeURIComponent(key.join('/'));
	if (!double.bucket || bucket !== 'files') return refuse(response, 404, 'NoSuchBucket', 'Bucket not found');
	if (verb === 'bucket') return say(response, { id: bucket, name: bucket, ...double.bucket });
	if (verb === 'object/list-v2') return say(response, listPage(double, await json(request)));
	if (verb === 'object' && request.method === 'DELETE') {
		const { prefixes } = (await json(request)) as { prefixes: string[] };
		return say(
			response,
			prefixes.filter((one) => double.objects.delete(one)).map((one) => ({ name: one }))
		);
	}
	if (verb === 'object' && request.method === 'POST') {
		const bytes = await buffer(request);
		double.objects.set(name, { bytes, updatedAt: new Date() });
		return say(response, { Id: randomUUID(), Key: `${bucket}/${name}` });
	}
	const found = double.objects.get(name);
	if (!found) return refuse(response, 404, 'NoSuchKey', 'Object not found');
	if (verb === 'object/sign' && request.method === 'POST') {
		const token = Buffer.from(name).toString('base64url');
		return say(response, { signedURL: `/object/sign/${bucket}/${name}?token=${token}` });
	}
	if (verb === 'object/info')
		return say(response, { name, size: found.bytes.length, last_modified: found.updatedAt.toISOString() });
	sendBytes(exchange, found.bytes);
}

function sendBytes({ request, response, fault }: Exchange, all: Buffer): void {
	const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
	const start = Number(first ?? 0);
	const end = Math.min(Number(last ?? Infinity), all.length - 1);
	if (first !== undefined && start > end)
		return refuse(response, 416, 'S3Error', 'InvalidRange', 'The requested range is not satisfiable');
	const bytes = all.subarray(start, end + 1);
	response.writeHead(first === undefined ? 200 : 206, {
		'content-type': 'application/octet-stream',
		'content-length': bytes.length,
		...(first !== undefined && { 'content-range': `bytes ${start}-${end}/${all.length}` })
	});
	if (fault?.kind !== 'cut' && fault?.kind !== 'stall') return void response.end(bytes);
	response.write(bytes.subarray(0, bytes.length / 2), () => {
		if (fault.kind === 'cut') response.destroy();
	});
}

function listPage(double: StorageDouble, asked: unknown) {
	const { prefix = '', limit = 1000, cursor = '' } = asked as Record<string, string & number>;
	const after = Buffer.from(cursor, 'base64').toString();
	const names = [...double.objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
	const objects = names.slice(0, limit).flatMap((name) => {
		const found = double.objects.get(name);
		return found
			? [{ name, updated_at: found.updatedAt.toISOString(), metadata: { size: found.bytes.length } }]
			: [];
	});
	const hasNext = names.length > limit;
	const nextCursor = Buffer.from(objects.at(-1)?.name ?? '').toString('base64');
	return { folders: [], objects, hasNext, ...(hasNext && { nextCursor }) };
}

function createTus(directory: string, keep: (key: string, bytes: Buffer) => void): TusServer {
	return new TusServer({
		path: '/storage/v1/upload/resumable',
		datastore: new FileStore({ directory }),
		// Storage believes in the host by which its proxy calls it.
		generateUrl: (_request, { path: folder, id }) => `http://storage.internal:5000${folder}/${id}`,
		async onUploadFinish(_request, { id, metadata }) {
			if (metadata?.bucketName !== 'files') throw { status_code: 404, body: 'Bucket not found' };
			keep(metadata.objectName ?? '', await readFile(path.join(directory, id)));
			return { headers: { 'Tus-Complete': '1' } };
		}
	});
}

function refuse(response: ServerResponse, status: number, code: string, message: string, error = code): void {
	response.writeHead(status === 500 ? 500 : 400, { 'content-type': 'application/json' });
	response.end(JSON.stringify({ statusCode: String(status), code, error, message }));
}

function say(response: ServerResponse, body: unknown): void {
	response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
