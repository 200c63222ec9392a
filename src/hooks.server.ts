// Every request passes here: who may talk to us, who is talking, and what becomes of what goes wrong.
//
// Errors have one way out. What a route or a load throws reaches handleError, which keeps it on locals.failure;
// handle then makes the answer of it: the contract's JSON body for programs, the right status for pages.
import { randomUUID } from 'node:crypto';
import type { Handle, HandleServerError, RequestEvent } from '@sveltejs/kit';
import type { App } from '#lib/server/app.ts';
import type { AppError } from '#lib/server/errors.ts';

type Resolve = Parameters<Handle>[0]['resolve'];

const appKey = Symbol.for('asura.app');
const programPaths = /^\/(api|auth|healthz|readyz|metrics)(\/|$)/;
const openRoutes = new Set([
	'/sign-in',
	'/auth/local',
	'/auth/google',
	'/auth/callback',
	'/auth/sign-out',
	'/healthz',
	'/readyz',
	'/metrics',
	'/docs',
	'/api/openapi.json',
	// A processor has its own key, and its links are signed (docs/processors.md).
	'/api/v1/events/webhook/document-processing',
	'/api/v1/processor/[run]/[expires]/[signature]',
	'/api/[...rest]'
]);
/** A person's browser is on its way here: what goes wrong is told on the sign-in page. */
const signInSteps = new Set(['/auth/google', '/auth/callback']);
/** They must answer while the database does not. */
const sessionless = new Set(['/healthz', '/readyz']);
const readMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export const handle: Handle = async ({ event, resolve }) => {
	const startedAt = performance.now();
	const { locals } = event;
	locals.app = await openedApp();
	locals.requestId = randomUUID();
	const { method } = event.request;
	const span = {
		'http.request.method': method,
		'http.route': event.route.id ?? '',
		'request.id': locals.requestId,
		parent: event.request.headers.get('traceparent') ?? undefined
	};
	return locals.app.trace.inSpan(`${method} ${event.route.id ?? 'nothing'}`, span, async () => {
		const answer = seal(event, await answerOrRefuse(event, resolve));
		locals.app.trace.addToSpan({ 'http.response.status_code': answer.status });
		logRequest(event, answer.status, performance.now() - startedAt);
		return answer;
	});
};

export const handleError: HandleServerError = ({ error, event, status }) => {
	const { app, requestId } = event.locals;
	const failure = fromKit(app, status) ?? app.errors.toAppError(error);
	noteFailure(event, failure, error);
	return app.errors.errorBody(failure, requestId);
};

async function answerOrRefuse(event: RequestEvent, resolve: Resolve): Promise<Response> {
	const { locals, url, route } = event;
	const { app } = locals;
	try {
		const arrival = arrivalOf(event);
		const credential = app.auth.guard.admit(arrival);
		if (app.auth.cors.isPreflight(arrival))
			return new Response(null, { status: 204, headers: app.auth.cors.preflight(arrival) });
		if (!sessionless.has(url.pathname)) {
			const knock = { method: arrival.method, path: arrival.path, address: () => addressOf(event) };
			locals.session = await app.auth.identify(credential, knock);
			limitRate(event);
		}
		if (route.id !== null && !openRoutes.has(route.id) && !locals.session) return refuseStranger(event);
		return finish(event, await resolve(event));
	} catch (error) {
		const failure = app.errors.toAppError(error);
		noteFailure(event, failure, error);
		return refusal(event, failure);
	}
}

/** A load that fetches from our own API is part of one request. */
function limitRate(event: RequestEvent): void {
	const { app, session } = event.locals;
	if (!event.isSubRequest) app.auth.limitRate({ session, address: addressOf(event) });
}

/** Of the peer, or of whom trusted proxies speak for. */
function addressOf({ locals, request, getClientAddress }: RequestEvent): string {
	return locals.app.auth.addressOf(getClientAddress(), request.headers.get('x-forwarded-for'));
}

function arrivalOf({ request, url, isSubRequest }: RequestEvent) {
	const headers = Object.fromEntries(request.headers);
	// A load that fetches from our own API passes here again, without having come from anywhere.
	if (isSubRequest) headers.host = url.host;
	return { method: request.method, path: url.pathname, query: url.search, headers };
}

function noteFailure({ locals, request }: RequestEvent, failure: AppError, error: unknown): void {
	const { app, requestId } = locals;
	locals.failure = failure;
	if (request.signal.aborted) app.log.debug({ requestId, err: error }, 'the client went away');
	else if (failure.code === 'server.unexpected') app.log.error({ requestId, err: error }, 'unexpected error');
	else if (failure.status >= 500) app.log.warn({ requestId, err: failure }, failure.message);
}

/** Pages lead to the sign-in and back; the API says 401. */
function refuseStranger({ locals, request, url }: RequestEvent): Response {
	if (programPaths.test(url.pathname)) throw locals.app.errors.problem('auth.required');
	const next = encodeURIComponent(url.pathname + (readMethods.has(request.method) ? url.search : ''));
	return new Response(null, { status: 303, headers: { location: `/sign-in?next=${next}` } });
}

/** Kit knows 500 and its own 404 and 405 only; what was really thrown decides. */
function finish(event: RequestEvent, answer: Response): Response {
	const { app, failure } = event.locals;
	const isForProgram = programPaths.test(event.url.pathname);
	if (!failure) {
		if (answer.status !== 405 || !isForProgram) return answer;
		const headers = { allow: answer.headers.get('allow') ?? '' };
		return refusal(event, app.errors.problem('request.method_not_allowed', { headers }));
	}
	if (event.isDataRequest) return answer;
	if (!isForProgram) return new Response(answer.body, { status: failure.status, headers: answer.headers });
	const isStep = event.route.id !== null && signInSteps.has(event.route.id);
	return withCookies(isStep ? toSignIn(failure) : refusal(event, failure), answer);
}

function refusal({ locals }: RequestEvent, failure: AppError): Response {
	const body = locals.app.errors.errorBody(failure, locals.requestId);
	return Response.json(body, { status: failure.status, headers: failure.headers });
}

function toSignIn(failure: AppError): Response {
	return new Response(null, { status: 303, headers: { location: `/sign-in?error=${failure.code}` } });
}

function withCookies(answer: Response, from: Response): Response {
	for (const cookie of from.headers.getSetCookie()) answer.headers.append('set-cookie', cookie);
	return answer;
}

function fromKit(app: App, status: number): AppError | undefined {
	if (status === 404) return app.errors.problem('request.not_found');
	if (status === 405) return app.errors.problem('request.method_not_allowed');
	if (status === 413) return app.errors.problem('request.too_large');
	return status >= 400 && status < 500 ? app.errors.problem('request.invalid') : undefined;
}

function seal(event: RequestEvent, answer: Response): Response {
	const { app, requestId } = event.locals;
	// Headers of some answers, such as a redirect's, cannot be changed.
	const sealed = new Response(answer.body, answer);
	sealed.headers.set('x-request-id', requestId);
	// A library behind a route may have a rule of its own for other origins; ours is the only one.
	for (const name of ['allow-origin', 'allow-credentials', 'expose-headers'])
		sealed.headers.delete(`access-control-${name}`);
	for (const [name, value] of app.auth.cors.headersFor(arrivalOf(event))) sealed.headers.append(name, value);
	if (!sealed.headers.has('cache-control')) sealed.headers.set('cache-control', 'no-store');
	return sealed;
}

/** The route's pattern, not the address: what people search for and what signs them in stays out of the log. */
function logRequest({ locals, request, route }: RequestEvent, status: number, ms: number): void {
	const { app, requestId, failure } = locals;
	const line = {
		requestId,
		method: request.method,
		route: route.id,
		status,
		ms: Math.round(ms),
		code: failure?.code
	};
	app.log[readMethods.has(request.method) ? 'debug' : 'info'](line, 'request');
}

function openedApp(): Promise<App> {
	const app = (globalThis as { [appKey]?: Promise<App> })[appKey];
	if (!app) throw new Error('The app is made by the entry of the process; there is none.');
	return app;
}
