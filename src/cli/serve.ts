// The production server: our own HTTP server around Kit's handler. It takes the live stream itself, since a raw Node
// response costs half the memory of Kit's, and it decides when everything ends. A worker only tells of its health.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from '#lib/server/app.ts';
import { ConfigError } from '#lib/server/config.ts';
import { messageOf } from '#lib/server/errors.ts';
import { readRestOf, refuseAtTheDoor, refuseUnreadable } from './front-door.ts';
import { answerForHealth } from './health.ts';
import { openApp } from './open-app.ts';
import { safetyHeaders } from './safety-headers.ts';

const closeAfterMs = 1500;
const giveUpAfterMs = 4500;
const kitPrefix = 'ASURA_KIT_';
const refusals: Record<string, [reason: string, choice: string]> = {
	EADDRINUSE: ['another program uses it', 'PORT'],
	EACCES: ['it is reserved for the system', 'PORT'],
	EADDRNOTAVAIL: ['it is no address of this machine', 'HOST'],
	ENOTFOUND: ['there is no such host', 'HOST']
};

try {
	await serve(await openApp());
} catch (error) {
	// A refused start is one line for the person who started it; only a defect shows where it comes from.
	const isForPerson = error instanceof ConfigError || (error instanceof Error && 'code' in error);
	process.stderr.write(
		`${isForPerson ? messageOf(error) : error instanceof Error ? error.stack : String(error)}\n`
	);
	process.exit(1);
}

async function serve(app: App): Promise<void> {
	const answer = app.config.role === 'worker' ? answerForHealth(app) : await answerForPeople(app);
	// Without a host there is a refusal of ours as well, with words in it.
	const server = createServer({ requireHostHeader: false }, answer);
	server.on('clientError', refuseUnreadable);
	// Long uploads are bounded by their own stall timeout, not by a total time.
	server.requestTimeout = 0;
	// Longer than the other side keeps an idle connection: who closes first must not be us, while a request is coming.
	server.keepAliveTimeout = 75_000;
	// Before it is said to be ready: whoever hears that may stop it at once. One Ctrl C comes several times: from the
	// terminal, from npm and from scripts/run.mjs.
	let stopping: Promise<void> | undefined;
	for (const signal of ['SIGINT', 'SIGTERM'] as const)
		process.on(signal, () => void (stopping ??= stop(server, app)));
	await listen(server, app);
	const { port } = server.address() as AddressInfo;
	const host = app.config.host.includes(':') ? `[${app.config.host}]` : app.config.host;
	const what = app.config.role === 'worker' ? 'The worker of Asura' : 'Asura';
	process.stdout.write(`${what} is ready at http://${host}:${port}\n`);
}

async function answerForPeople(app: App): Promise<RequestListener> {
	const handle = await kitHandler(app);
	const headers = safetyHeaders(app.config);
	return (request, response) => {
		// First, and with the headers handed over: what is set on a stream's request or response is kept for as long as
		// the stream is open, a kilobyte for each of thousands.
		if (app.events.handleRaw(request, response, headers)) return;
		// Kit learns its origin from this header; what a client sent in it must never count.
		request.headers['x-asura-proto'] = 'http';
		readRestOf(request, response);
		if (refuseAtTheDoor(app, request, response, headers)) return;
		response.setHeaders(headers);
		handle(request, response);
	};
}

async function kitHandler(app: App): Promise<RequestListener> {
	process.env[`${kitPrefix}BODY_SIZE_LIMIT`] = 'Infinity';
	if (app.config.origin) process.env[`${kitPrefix}ORIGIN`] = app.config.origin;
	else process.env[`${kitPrefix}PROTOCOL_HEADER`] = 'x-asura-proto';
	const built: { handler: RequestListener } = await import(
		new URL('../../build/handler.js', import.meta.url).href
	);
	return built.handler;
}

function listen(server: Server, app: App): Promise<void> {
	const { host, port } = app.config;
	return new Promise((resolve, reject) => {
		server.once('error', (error: NodeJS.ErrnoException) => {
			const [reason, choice] = refusals[error.code ?? ''] ?? [messageOf(error), 'HOST'];
			reject(
				new ConfigError(`Asura cannot listen on ${host} port ${port}: ${reason}. Choose another ${choice}.`)
			);
		});
		server.listen(port, host, resolve);
	});
}

async function stop(server: Server, app: App): Promise<void> {
	setTimeout(() => process.exit(1), giveUpAfterMs).unref();
	server.close();
	setTimeout(() => server.closeAllConnections(), closeAfterMs).unref();
	await app.stop();
	server.closeIdleConnections();
	process.exit(0);
}
