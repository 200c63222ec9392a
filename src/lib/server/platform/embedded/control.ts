// How commands such as `npm run backup` reach the server that has the data folder: HTTP over a socket in that folder,
// which only its owner can open. `POST /backup` asks for the command `backup`.
import { chmod, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { AnswerCommand, Stop } from '../platform.ts';

const maxSocketPath = 100;

export type Control = { onCommand(name: string, answer: AnswerCommand): void; close: Stop };

export async function serveControl({ dataDir, log }: { dataDir: string; log: Log }): Promise<Control> {
	const answers = new Map<string, AnswerCommand>();
	const onCommand = (name: string, answer: AnswerCommand) => void answers.set(`/${name}`, answer);
	const socket = socketPath(dataDir);
	if (Buffer.byteLength(socket) > maxSocketPath) {
		log.warn(
			{ dataDir },
			'the path of the data folder is too long for a socket: backups only while the server is stopped'
		);
		return { onCommand, close: async () => undefined };
	}
	const running = new Set<Promise<void>>();
	const server = createServer((message, response) => {
		const one = answer(message, response, answers, log).finally(() => running.delete(one));
		running.add(one);
	});
	// Left there by a process that died; we own the folder.
	await rm(socket, { force: true });
	await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
	await chmod(socket, 0o600);
	const close = async () => {
		server.close();
		server.closeAllConnections();
		await Promise.all(running);
	};
	return { onCommand, close };
}

/** What the running server answers, as a stream; it ends early, with an error, when the server fails or stops. */
export async function requestCommand(dataDir: string, command: string, to: Writable): Promise<void> {
	try {
		const response = await ask(socketPath(dataDir), command);
		if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`);
		await pipeline(response, to);
	} catch (cause) {
		const [name] = command.split('?');
		throw new ConfigError(
			`The server that has ${dataDir} gave no whole ${name}: ${messageOf(cause)}. Its log may say why.`,
			{ cause }
		);
	}
}

function ask(socket: string, command: string): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		request({ socketPath: socket, path: `/${command}`, method: 'POST' }, resolve)
			.once('error', reject)
			.end();
	});
}

async function answer(
	message: IncomingMessage,
	response: ServerResponse,
	answers: ReadonlyMap<string, AnswerCommand>,
	log: Log
): Promise<void> {
	const { pathname, searchParams } = new URL(message.url ?? '/', 'http://control');
	const command = answers.get(pathname);
	if (message.method !== 'POST' || !command) {
		response.writeHead(404).end();
		return;
	}
	try {
		response.writeHead(200);
		await command(response, searchParams);
		log.info({ command: pathname.slice(1) }, 'a command of the operator was answered');
	} catch (error) {
		log.error({ command: pathname.slice(1), error: messageOf(error) }, 'a command of the operator failed');
		response.destroy();
	}
}

/** The shorter of the two ways to say it: a socket's path has little room. */
function socketPath(dataDir: string): string {
	const absolute = path.join(path.resolve(dataDir), 'control.sock');
	const relative = path.relative(process.cwd(), absolute);
	return relative.length < absolute.length ? relative : absolute;
}
