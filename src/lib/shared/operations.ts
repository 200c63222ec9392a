// Every operation of the HTTP interface, in one table: the description at /api/openapi.json and the page /docs are made
// of it, and tests/http/openapi.test.ts holds it against the running server and the routes.
import type * as v from 'valibot';
import {
	ContentQuery,
	FileDetails,
	Known,
	KnownAnswer,
	ListAnswer,
	ListQuery,
	LocalSignIn,
	Many,
	ManyAnswer,
	ManyForm,
	PassagesAnswer,
	PassagesQuery,
	RetryMany,
	RetryManyAnswer,
	RetryOptions,
	SearchAnswer,
	SearchQuery,
	UploadAnswer,
	UploadQuery
} from './api.ts';
import type { ErrorCode } from './errors.ts';
import { ChangesAnswer, ChangesQuery, FollowMessage, StreamMessage } from './events.ts';
import { StoredFile } from './files.ts';
import { HarnessAction, HarnessAnswer } from './harness.ts';
import { KeyMade, KeysAnswer, KeyToMake, TicketAnswer } from './keys.ts';
import { EventSent, EventToSend, SeenEvents } from './named-events.ts';
import { HealthAnswer, ReadyAnswer } from './health.ts';
import { ProcessingReport, ReportAnswer, ReportQuery } from './processing-report.ts';
import { projectOperations } from './project-operations.ts';
import { tusAsks, tusSays } from './resumable.ts';
import { StreamQuery } from './stream-query.ts';
import {
	DeliveriesAnswer,
	DeliveriesQuery,
	Delivery,
	NewWebhook,
	Webhook,
	WebhookAdded,
	WebhookChange,
	WebhookList
} from './webhooks.ts';

export type Schema = v.GenericSchema<unknown, unknown>;

/** Who may: anybody, a scope of a key (a signed-in person has all), an operator, or a person only, never a key. */
export type Access = 'anybody' | 'read' | 'write' | 'operator' | 'person';

export type Fields = v.ObjectSchema<v.ObjectEntries, undefined>;

export type Answer =
	| { kind: 'json'; schema: Schema }
	| { kind: 'nothing'; headers?: Fields }
	| { kind: 'redirect' }
	| { kind: 'text' }
	| { kind: 'bytes'; type?: string }
	| { kind: 'events'; schema: Schema };

export type Body =
	/** Where a form is taken as well, it is of the page. */
	| { type: 'application/json'; schema: Schema; isOptional?: true; form?: Schema }
	| { type: 'multipart/form-data' }
	| { type: 'application/offset+octet-stream'; isOptional?: true };

export type Operation = {
	method: 'OPTIONS' | 'HEAD' | 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Parameters in braces. */
	path: string;
	group: string;
	summary: string;
	access: Access;
	query?: Fields;
	headers?: Fields;
	body?: Body;
	answers: Record<number, Answer>;
	/** Besides those that every operation of that kind can answer (openapi.ts). */
	errors: readonly ErrorCode[];
};

const json = (schema: Schema): Answer => ({ kind: 'json', schema });
const jsonBody = (schema: Schema) => ({ type: 'application/json' as const, schema });
const events = (schema: Schema): Answer => ({ kind: 'events', schema });
const nothing: Answer = { kind: 'nothing' };
const redirect: Answer = { kind: 'redirect' };
const onlyHeaders = (headers: Fields): Answer => ({ kind: 'nothing', headers });
const tusBytes = { type: 'application/offset+octet-stream' as const };
/** The bytes may be known to be wrong with any of them, or with the last. */
const badBytes = [
	'upload.too_large',
	'upload.corrupted',
	'upload.quota_exceeded',
	'server.disk_full',
	'file.unsupported_type'
] as const;
/** An upload may go into a project, of whose members its sender must be one to its end. */
const noProject = ['project.not_found', 'project.forbidden'] as const;
const badRequest = ['upload.not_found', 'upload.busy', 'upload.wrong_protocol'] as const;

// prettier-ignore
export const operations: readonly Operation[] = [
	{ method: 'POST', path: '/api/files/upload', group: 'Files', summary: 'Upload files', access: 'write', query: UploadQuery, body: { type: 'multipart/form-data' }, answers: { 201: json(UploadAnswer) }, errors: ['project.not_found', 'project.forbidden', 'upload.no_file', 'upload.malformed', 'upload.too_large', 'upload.too_many_files', 'upload.empty', 'upload.interrupted', 'upload.quota_exceeded', 'server.disk_full', 'file.unsupported_type'] },
	{ method: 'POST', path: '/api/files/known', group: 'Files', summary: 'Which of these bytes you, or a project, have already', access: 'write', body: jsonBody(Known), answers: { 200: json(KnownAnswer) }, errors: ['project.not_found'] },
	{ method: 'GET', path: '/api/files', group: 'Files', summary: 'List files, newest first', access: 'read', query: ListQuery, answers: { 200: json(ListAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/files/retry', group: 'Files', summary: 'Process several files again, or all that failed', access: 'write', body: jsonBody(RetryMany), answers: { 202: json(RetryManyAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/files/cancel', group: 'Files', summary: 'Stop processing several files', access: 'write', body: jsonBody(Many), answers: { 200: json(ManyAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/files/delete', group: 'Files', summary: 'Delete several files and everything made of them', access: 'write', body: jsonBody(Many), answers: { 200: json(ManyAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/files/zip', group: 'Files', summary: 'The originals of several files in one archive', access: 'write', body: { ...jsonBody(Many), form: ManyForm }, answers: { 200: { kind: 'bytes', type: 'application/zip' } }, errors: ['file.not_found', 'file.lost', 'zip.too_large'] },
	{ method: 'GET', path: '/api/files/{id}', group: 'Files', summary: 'One file', access: 'read', answers: { 200: json(StoredFile) }, errors: ['file.not_found'] },
	{ method: 'DELETE', path: '/api/files/{id}', group: 'Files', summary: 'Delete a file and everything made of it', access: 'write', answers: { 204: nothing }, errors: ['file.not_found', 'project.forbidden'] },
	{ method: 'GET', path: '/api/files/{id}/details', group: 'Files', summary: 'Model, tokens, price and times of one file', access: 'read', answers: { 200: json(FileDetails) }, errors: ['file.not_found'] },
	{ method: 'GET', path: '/api/files/{id}/content', group: 'Files', summary: 'The bytes of one version of a file; takes Range', access: 'read', query: ContentQuery, answers: { 200: { kind: 'bytes' }, 206: { kind: 'bytes' }, 304: nothing }, errors: ['file.not_found', 'file.variant_missing', 'file.range_invalid', 'file.lost'] },
	{ method: 'GET', path: '/api/files/{id}/passages', group: 'Files', summary: 'The passages of a file, as the search finds them', access: 'read', query: PassagesQuery, answers: { 200: json(PassagesAnswer) }, errors: ['file.not_found'] },
	{ method: 'POST', path: '/api/files/{id}/retry', group: 'Files', summary: 'Process a file again', access: 'write', body: { ...jsonBody(RetryOptions), isOptional: true }, answers: { 202: json(StoredFile) }, errors: ['file.not_found', 'file.not_retryable', 'file.lost', 'project.forbidden'] },
	{ method: 'POST', path: '/api/files/{id}/cancel', group: 'Files', summary: 'Stop processing a file', access: 'write', answers: { 202: json(StoredFile) }, errors: ['file.not_found', 'file.not_cancellable', 'project.forbidden'] },
	{ method: 'POST', path: '/api/files/{id}/next', group: 'Files', summary: 'Begin a waiting file before the others', access: 'write', answers: { 202: json(StoredFile) }, errors: ['file.not_found', 'file.not_waiting', 'project.forbidden'] },
	{ method: 'OPTIONS', path: '/api/uploads', group: 'Resumable uploads', summary: 'What is spoken here: tus 1.0', access: 'write', answers: { 204: onlyHeaders(tusSays.options) }, errors: [] },
	{ method: 'POST', path: '/api/uploads', group: 'Resumable uploads', summary: 'Begin an upload; the first bytes may come with it', access: 'write', headers: tusAsks.create, body: { ...tusBytes, isOptional: true }, answers: { 201: onlyHeaders(tusSays.created) }, errors: [...badBytes, ...noProject, 'upload.wrong_protocol', 'upload.empty', 'upload.bad_folder', 'upload.too_many_open', 'upload.interrupted'] },
	{ method: 'HEAD', path: '/api/uploads/{id}', group: 'Resumable uploads', summary: 'How much has arrived', access: 'write', headers: tusAsks.plain, answers: { 200: onlyHeaders(tusSays.whereabouts) }, errors: [...badRequest, ...badBytes, ...noProject] },
	{ method: 'PATCH', path: '/api/uploads/{id}', group: 'Resumable uploads', summary: 'Send bytes; with the last one it is a file', access: 'write', headers: tusAsks.send, body: tusBytes, answers: { 204: onlyHeaders(tusSays.sent) }, errors: [...badRequest, ...badBytes, ...noProject, 'upload.offset_conflict', 'upload.interrupted'] },
	{ method: 'DELETE', path: '/api/uploads/{id}', group: 'Resumable uploads', summary: 'Give an upload up', access: 'write', headers: tusAsks.plain, answers: { 204: nothing }, errors: badRequest },
	{ method: 'GET', path: '/api/search', group: 'Search', summary: 'Find passages, in all files or by type, time, file, project or tag', access: 'read', query: SearchQuery, answers: { 200: json(SearchAnswer) }, errors: ['search.query_missing', 'file.not_found', 'project.not_found'] },
	{ method: 'GET', path: '/api/files/events', group: 'Streams', summary: 'Everything of one person, live', access: 'read', query: StreamQuery, answers: { 200: events(StreamMessage) }, errors: ['stream.too_many', 'auth.ticket_invalid'] },
	{ method: 'GET', path: '/api/files/{id}/events', group: 'Streams', summary: 'One file, live, until it ends', access: 'read', answers: { 200: events(FollowMessage) }, errors: ['file.not_found', 'stream.too_many', 'auth.ticket_invalid'] },
	{ method: 'GET', path: '/api/files/changes', group: 'Streams', summary: 'The stream for clients that cannot stream', access: 'read', query: ChangesQuery, answers: { 200: json(ChangesAnswer) }, errors: ['stream.too_many'] },
	{ method: 'POST', path: '/api/stream-tickets', group: 'Streams', summary: 'A ticket that opens one stream within a minute, as ?ticket=', access: 'read', answers: { 201: json(TicketAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/events', group: 'Streams', summary: 'Tell people something by name', access: 'operator', body: jsonBody(EventToSend), answers: { 202: json(EventSent) }, errors: [] },
	{ method: 'POST', path: '/api/events/seen', group: 'Streams', summary: 'Confirm notifications that were shown', access: 'write', body: jsonBody(SeenEvents), answers: { 204: nothing }, errors: [] },
	{ method: 'GET', path: '/api/keys', group: 'Keys', summary: 'Your keys', access: 'person', answers: { 200: json(KeysAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/keys', group: 'Keys', summary: 'Make a key; it is shown once', access: 'person', body: jsonBody(KeyToMake), answers: { 201: json(KeyMade) }, errors: ['key.too_many', 'auth.not_allowed'] },
	{ method: 'DELETE', path: '/api/keys/{id}', group: 'Keys', summary: 'Revoke a key; its streams close', access: 'person', answers: { 204: nothing }, errors: ['key.not_found'] },
	{ method: 'GET', path: '/api/webhooks', group: 'Webhooks', summary: 'Your webhooks, and those of projects that you may edit', access: 'read', answers: { 200: json(WebhookList) }, errors: [] },
	{ method: 'POST', path: '/api/webhooks', group: 'Webhooks', summary: 'Add a webhook, of yours or of a project; its secret is told once', access: 'write', body: jsonBody(NewWebhook), answers: { 201: json(WebhookAdded) }, errors: [...noProject, 'webhook.address_refused', 'webhook.too_many'] },
	{ method: 'GET', path: '/api/webhooks/{id}', group: 'Webhooks', summary: 'One webhook', access: 'read', answers: { 200: json(Webhook) }, errors: ['webhook.not_found'] },
	{ method: 'PATCH', path: '/api/webhooks/{id}', group: 'Webhooks', summary: 'Change address or events, or switch it on or off', access: 'write', body: jsonBody(WebhookChange), answers: { 200: json(Webhook) }, errors: ['webhook.not_found', 'webhook.not_yours', 'webhook.address_refused'] },
	{ method: 'POST', path: '/api/webhooks/{id}/secret', group: 'Webhooks', summary: 'A new secret, told once; the old one signs too for 24 hours', access: 'write', answers: { 200: json(WebhookAdded) }, errors: ['webhook.not_found', 'webhook.not_yours'] },
	{ method: 'DELETE', path: '/api/webhooks/{id}', group: 'Webhooks', summary: 'Remove a webhook', access: 'write', answers: { 204: nothing }, errors: ['webhook.not_found', 'webhook.not_yours'] },
	{ method: 'POST', path: '/api/webhooks/{id}/test', group: 'Webhooks', summary: 'Send a message that says “test”', access: 'write', answers: { 202: json(Delivery) }, errors: ['webhook.not_found', 'webhook.not_yours', 'request.too_many'] },
	{ method: 'GET', path: '/api/webhooks/{id}/deliveries', group: 'Webhooks', summary: 'What became of each message, newest first', access: 'read', query: DeliveriesQuery, answers: { 200: json(DeliveriesAnswer) }, errors: ['webhook.not_found'] },
	{ method: 'POST', path: '/api/webhooks/{id}/deliveries/{delivery}/replay', group: 'Webhooks', summary: 'Send a message again, with the same id', access: 'write', answers: { 202: json(Delivery) }, errors: ['webhook.not_found', 'webhook.not_yours', 'webhook.delivery_not_found', 'request.too_many'] },
	{ method: 'POST', path: '/api/v1/events/webhook/document-processing', group: 'Processors', summary: 'A report of an external processor, with its key in X-Webhook-Key', access: 'anybody', query: ReportQuery, body: jsonBody(ProcessingReport), answers: { 200: json(ReportAnswer) }, errors: ['request.not_found', 'file.not_found', 'processor.refused', 'processor.not_waiting'] },
	{ method: 'GET', path: '/api/v1/processor/{run}/{expires}/{signature}', group: 'Processors', summary: 'The bytes of a file, for the processor that was given this address', access: 'anybody', answers: { 200: { kind: 'bytes' }, 206: { kind: 'bytes' }, 304: nothing }, errors: ['request.not_found', 'file.not_found', 'file.range_invalid', 'file.lost', 'processor.link_expired'] },
	{ method: 'POST', path: '/api/harness', group: 'Operating', summary: 'Make things happen to the stream, where the harness is on', access: 'write', body: jsonBody(HarnessAction), answers: { 202: json(HarnessAnswer) }, errors: ['request.not_found', 'auth.not_allowed', 'upload.quota_exceeded'] },
	{ method: 'GET', path: '/api/openapi.json', group: 'Operating', summary: 'This description', access: 'anybody', answers: { 200: { kind: 'bytes' } }, errors: [] },
	{ method: 'GET', path: '/healthz', group: 'Operating', summary: 'The process lives', access: 'anybody', answers: { 200: json(HealthAnswer) }, errors: [] },
	{ method: 'GET', path: '/readyz', group: 'Operating', summary: 'Database, storage and queue answer', access: 'anybody', answers: { 200: json(ReadyAnswer) }, errors: ['server.unavailable'] },
	{ method: 'GET', path: '/metrics', group: 'Operating', summary: 'Prometheus text, for the machine itself and for operators', access: 'anybody', answers: { 200: { kind: 'text' } }, errors: ['request.not_found', 'auth.key_invalid', 'auth.scope_missing'] },
	...projectOperations,
	{ method: 'POST', path: '/auth/local', group: 'Signing in', summary: 'Sign in on the machine itself', access: 'anybody', body: jsonBody(LocalSignIn), answers: { 204: nothing }, errors: ['auth.not_configured'] },
	{ method: 'GET', path: '/auth/google', group: 'Signing in', summary: 'To the sign-in provider', access: 'anybody', answers: { 302: redirect, 303: redirect }, errors: [] },
	{ method: 'GET', path: '/auth/callback', group: 'Signing in', summary: 'Back from the sign-in provider', access: 'anybody', answers: { 303: redirect }, errors: [] },
	{ method: 'POST', path: '/auth/sign-out', group: 'Signing in', summary: 'End the session; its streams close', access: 'anybody', answers: { 204: nothing }, errors: [] }
];
