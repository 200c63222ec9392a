// How `npm run backup` reaches the server that has the data folder: HTTP over a socket in that folder, which only its
// owner can open.
import { chmod, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Stop } from '../platform.ts';

const maxSocketPath = 100;

export async function serveControl(options: {
	dataDir: string;
	backUp: (to: Writable) => Promise<void>;
	log: Log;
}): Promise<Stop> {
	const { dataDir, backUp, log } = options;
	const socket = socketPath(dataDir);
	if (Buffer.byteLength(socket) > maxSocketPath) {
		log.warn(
			{ dataDir },
			'the path of the data folder is too long for a socket: backups only while the server is stopped'
		);
		return async () => undefined;
	}
	const running = new Set<Promise<void>>();
	const server = createServer((message, response) => {
		const one = answer(message, response, backUp, log).finally(() => running.delete(one));
		running.add(one);
	});
	// Left there by a process that died; we own the folder.
	await rm(socket, { force: true });
	await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
	await chmod(socket, 0o600);
	return async () => {
		server.close();
		server.closeAllConnections();
		await Promise.all(running);
	};
}

/** The running server's backup as a stream; it ends early, with an error, when the server fails or stops. */
export async function requestBackup(dataDir: string, to: Writable): Promise<void> {
	try {
		const response = await ask(socketPath(dataDir));
		if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`);
		await pipeline(response, to);
	} catch (cause) {
		throw new ConfigError(
			`The server that has ${dataDir} gave no whole backup: ${messageOf(cause)}. Its log may say why.`,
			{ cause }
		);
	}
}

function ask(socket: string): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		request({ socketPath: socket, path: '/backup', method: 'POST' }, resolve).once('error', reject).end();
	});
}

async function answer(
	message: IncomingMessage,
	response: ServerResponse,
	backUp: (to: Writable) => Promise<void>,
	log: Log
): Promise<void> {
	if (message.method !== 'POST' || message.url !== '/backup') {
		response.writeHead(404).end();
		return;
	}
	try {
		response.writeHead(200, { 'content-type': 'application/x-tar' });
		await backUp(response);
		log.info('a backup was made');
	} catch (error) {
		log.error({ error: messageOf(error) }, 'a backup failed');
		response.destroy();
	}
}

/** The shorter of the two ways to say it: a socket's path has little room. */
function socketPath(dataDir: string): string {
	const absolute = path.join(path.resolve(dataDir), 'control.sock');
	const relative = path.relative(process.cwd(), absolute);
	return relative.length < absolute.length ? relative : absolute;
}
