// What a process that only works on files answers: whether it lives, whether it is ready, and its metrics. Whoever can
// reach it may ask; nothing here tells of people or their files.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { App } from '#lib/server/app.ts';
import { isLoopbackHost } from '#lib/server/config.ts';
import { writeProblem } from '#lib/server/errors.ts';
import { safetyHeaders } from './safety-headers.ts';

export function answerForHealth(app: App): RequestListener {
	const headers = safetyHeaders(app.config);
	return (request, response) => {
		response.setHeaders(headers);
		response.setHeader('cache-control', 'no-store');
		answer(app, request, response).catch((error: unknown) => {
			const requestId = randomUUID();
			const failure = app.errors.toAppError(error);
			if (failure.status >= 500) app.log.warn({ requestId, err: failure }, failure.message);
			writeProblem(response, failure, { requestId });
		});
	};
}

async function answer(app: App, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const { problem } = app.errors;
	const address = `http://${request.headers.host ?? ''}`;
	// A page elsewhere can point its own name at a loopback address.
	if (app.config.isLoopback && !(URL.canParse(address) && isLoopbackHost(new URL(address).hostname)))
		throw problem('request.wrong_host');
	if (request.method !== 'GET' && request.method !== 'HEAD') throw problem('request.method_not_allowed');
	const say = (type: string, body: string) => void response.setHeader('content-type', type).end(body);
	if (request.url === '/healthz') return say('application/json', JSON.stringify({ status: 'ok' }));
	if (request.url === '/readyz') return say('application/json', JSON.stringify(await app.readiness()));
	if (request.url === '/metrics')
		return say(app.metrics.registry.contentType, await app.metrics.registry.metrics());
	throw problem('request.not_found');
}
