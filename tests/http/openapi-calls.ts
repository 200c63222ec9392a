// What openapi.test.ts asks of every operation, with success and with refusals.
import { makeKey } from '../support/keys.ts';
import type { Person } from './person.ts';

export type Call = {
	path?: string;
	options?: RequestInit;
	/** What must come back. */
	status: number;
};
export const nobody = '00000000-0000-4000-8000-000000000000';
const post = { method: 'POST' };
const json = (body: unknown) => ({ ...post, body: JSON.stringify(body) });
const tus = { 'tus-resumable': '1.0.0' };
const piece = { ...tus, 'content-type': 'application/offset+octet-stream' };

/** Of every operation that answers at once, by method and path. */
export async function prepareCalls(ada: Person): Promise<Record<string, Call[]>> {
	const [done, gone, again, many] = await Promise.all([
		ada.add('lantern.txt', 'A lantern in the harbour.'),
		ada.add('gone.txt', 'soon gone'),
		ada.add('again.txt', 'once more'),
		ada.add('many.txt', 'one of many')
	]);
	await ada.ended([done.id, gone.id, again.id, many.id]);
	const { key } = await makeKey(ada, ['read']);
	const hook = { url: 'https://hooks.example.org/', events: ['file.deleted'] };
	const added = await (await ada.ask('/api/webhooks', json(hook))).json();
	const webhook = `/api/webhooks/${added.webhook.id}`;
	const delivery = await (await ada.ask(`${webhook}/test`, post)).json();
	const form = new FormData();
	form.append('file', new File(['words'], 'words.txt'));
	const file = `/api/files/${done.id}`;
	const missing = (path: string, method = 'GET') => ({ path, options: { method }, status: 404 });
	return {
		'POST /api/files/upload': [
			{ options: { ...post, body: form }, status: 201 },
			{ options: { ...post, body: 'x' }, status: 400 }
		],
		'GET /api/files': [
			{ path: '/api/files?limit=2', status: 200 },
			{ path: '/api/files?limit=0', status: 400 }
		],
		'POST /api/files/retry': [
			{ options: json({ status: 'failed' }), status: 202 },
			{ options: json({ ids: [done.id, nobody] }), status: 202 },
			{ options: json({}), status: 400 }
		],
		'POST /api/files/known': [
			{ options: json({ sha256: [done.sha256, '0'.repeat(64)] }), status: 200 },
			{ options: json({ sha256: ['x'] }), status: 400 }
		],
		'POST /api/files/cancel': [
			{ options: json({ ids: [(await working(ada)).split('/').at(-1), done.id, nobody] }), status: 200 },
			{ options: json({ ids: [] }), status: 400 }
		],
		'POST /api/files/delete': [
			{ options: json({ ids: [many.id, nobody] }), status: 200 },
			{ options: json({ ids: ['x'] }), status: 400 }
		],
		'POST /api/files/zip': [
			{ options: json({ ids: [done.id] }), status: 200 },
			{ options: { ...post, body: new URLSearchParams({ ids: done.id }) }, status: 200 },
			{ options: json({ ids: [nobody] }), status: 404 }
		],
		'GET /api/files/{id}': [{ path: file, status: 200 }, missing(`/api/files/${nobody}`)],
		'DELETE /api/files/{id}': [
			{ path: `/api/files/${gone.id}`, options: { method: 'DELETE' }, status: 204 },
			missing(`/api/files/${nobody}`, 'DELETE')
		],
		'GET /api/files/{id}/details': [
			{ path: `${file}/details`, status: 200 },
			missing(`/api/files/${nobody}/details`)
		],
		'GET /api/files/{id}/content': [
			{ path: `${file}/content`, status: 200 },
			{ path: `${file}/content`, options: { headers: { range: 'bytes=0-1' } }, status: 206 },
			{ path: `${file}/content`, options: { headers: { range: 'bytes=999-' } }, status: 416 },
			missing(`${file}/content?variant=thumbnail`)
		],
		'GET /api/files/{id}/passages': [
			{ path: `${file}/passages`, status: 200 },
			{ path: `${file}/passages?after=x`, status: 400 },
			missing(`/api/files/${nobody}/passages`)
		],
		'POST /api/files/{id}/retry': [
			{ path: `/api/files/${again.id}/retry`, options: json({ again: true }), status: 202 },
			{ path: `${file}/retry`, options: post, status: 409 },
			missing(`/api/files/${nobody}/retry`, 'POST')
		],
		'POST /api/files/{id}/cancel': [
			{ path: `${await working(ada)}/cancel`, options: post, status: 202 },
			{ path: `${file}/cancel`, options: post, status: 409 }
		],
		'POST /api/files/{id}/next': [
			{ path: `${await working(ada)}/next`, options: post, status: 202 },
			{ path: `${file}/next`, options: post, status: 409 }
		],
		'GET /api/search': [
			{ path: '/api/search?q=lantern', status: 200 },
			{ path: '/api/search?q=lantern&type=text&after=2020-01-01&before=2100-01-01T00:00:00Z', status: 200 },
			{ path: '/api/search?q=lantern&type=song', status: 400 },
			{ path: '/api/search?q=', status: 400 }
		],
		...(await uploading(ada)),
		'GET /api/files/changes': [
			{ path: '/api/files/changes', status: 200 },
			{ path: '/api/files/changes?wait=never', status: 400 }
		],
		'POST /api/stream-tickets': [{ options: post, status: 201 }],
		'POST /api/events': [
			{ options: json({ to: 'everybody', event: 'test-event' }), status: 202 },
			{ options: json({ to: 'everybody', event: 'bye' }), status: 400 }
		],
		'POST /api/events/seen': [
			{ options: json({ ids: [nobody] }), status: 204 },
			{ options: json({ ids: [] }), status: 400 }
		],
		'GET /api/keys': [{ status: 200 }],
		'POST /api/keys': [
			{ options: json({ name: 'a', scopes: ['read'] }), status: 201 },
			{ options: json({ name: 'a', scopes: [] }), status: 400 }
		],
		'DELETE /api/keys/{id}': [
			{ path: `/api/keys/${key.id}`, options: { method: 'DELETE' }, status: 204 },
			missing(`/api/keys/${nobody}`, 'DELETE')
		],
		'GET /api/webhooks': [{ status: 200 }],
		'POST /api/webhooks': [
			{ options: json(hook), status: 201 },
			{ options: json({ ...hook, url: 'https://127.0.0.1/' }), status: 422 },
			{ options: json({}), status: 400 }
		],
		'GET /api/webhooks/{id}': [{ path: webhook, status: 200 }, missing(`/api/webhooks/${nobody}`)],
		'PATCH /api/webhooks/{id}': [
			{ path: webhook, options: { ...json({ events: ['file.failed'] }), method: 'PATCH' }, status: 200 },
			{ path: webhook, options: { ...json({ events: [] }), method: 'PATCH' }, status: 400 }
		],
		'POST /api/webhooks/{id}/secret': [
			{ path: `${webhook}/secret`, options: { method: 'POST' }, status: 200 },
			missing(`/api/webhooks/${nobody}/secret`, 'POST')
		],
		'POST /api/webhooks/{id}/test': [
			{ path: `${webhook}/test`, options: post, status: 202 },
			missing(`/api/webhooks/${nobody}/test`, 'POST')
		],
		'GET /api/webhooks/{id}/deliveries': [
			{ path: `${webhook}/deliveries?limit=2`, status: 200 },
			{ path: `${webhook}/deliveries?limit=0`, status: 400 }
		],
		'POST /api/webhooks/{id}/deliveries/{delivery}/replay': [
			{ path: `${webhook}/deliveries/${delivery.id}/replay`, options: post, status: 202 },
			missing(`${webhook}/deliveries/${nobody}/replay`, 'POST')
		],
		'DELETE /api/webhooks/{id}': [
			{ path: webhook, options: { method: 'DELETE' }, status: 204 },
			missing(`/api/webhooks/${nobody}`, 'DELETE')
		],
		// Without a processor there is nothing there; tests/http/processor.test.ts has one.
		'POST /api/v1/events/webhook/document-processing': [{ options: json({}), status: 404 }],
		'GET /api/v1/processor/{run}/{expires}/{signature}': [missing('/api/v1/processor/a/1/b')],
		'POST /api/harness': [
			{ options: json({ do: 'file', stageMs: 0 }), status: 202 },
			{ options: json({ do: 'crash' }), status: 202 },
			{ options: json({ do: 'nothing' }), status: 400 }
		],
		'GET /api/openapi.json': [{ status: 200 }],
		'GET /healthz': [{ status: 200 }],
		'GET /readyz': [{ status: 200 }],
		'GET /metrics': [{ status: 200 }],
		'POST /auth/local': [
			// Without the cookie: signing in ends the session that this browser had.
			{ options: { ...json({ email: 'bob@localhost' }), headers: { cookie: '' } }, status: 204 },
			{ options: json({ email: 'nobody' }), status: 400 }
		],
		'GET /auth/google': [{ status: 303 }],
		'GET /auth/callback': [{ status: 303 }],
		'POST /auth/sign-out': [{ options: { ...post, headers: { cookie: 'asura_session=none' } }, status: 204 }]
	};
}

async function uploading({ ask }: Person): Promise<Record<string, Call[]>> {
	const begun = (size: number, headers: object = tus) => ({
		...post,
		headers: { ...headers, 'upload-length': String(size) }
	});
	const [whole, given] = await Promise.all(
		[begun(5), begun(5)].map(async (one) => (await ask('/api/uploads', one)).headers.get('location') ?? '')
	);
	const head = { method: 'HEAD', headers: tus };
	const part = (at: number, body: string) => ({
		method: 'PATCH',
		headers: { ...piece, 'upload-offset': String(at) },
		body
	});
	return {
		'OPTIONS /api/uploads': [{ options: { method: 'OPTIONS' }, status: 204 }],
		'POST /api/uploads': [
			{ options: begun(9), status: 201 },
			{ options: { ...begun(5, piece), body: 'words' }, status: 201 },
			{ options: begun(0), status: 400 },
			{ options: begun(5, {}), status: 412 }
		],
		'PATCH /api/uploads/{id}': [
			{ path: whole, options: part(0, 'wo'), status: 204 },
			{ path: whole, options: part(0, 'wo'), status: 409 },
			{ path: whole, options: part(2, 'rds'), status: 204 },
			{ path: `/api/uploads/${nobody}`, options: part(0, 'words'), status: 404 }
		],
		'HEAD /api/uploads/{id}': [
			{ path: whole, options: head, status: 200 },
			{ path: given, options: head, status: 200 },
			{ path: `/api/uploads/${nobody}`, options: head, status: 404 }
		],
		'DELETE /api/uploads/{id}': [
			{ path: given, options: { ...head, method: 'DELETE' }, status: 204 },
			{ path: given, options: { ...head, method: 'DELETE' }, status: 404 }
		]
	};
}

/** A file that stays at work for a while. */
async function working({ ask }: Person): Promise<string> {
	const answer = await ask('/api/harness', json({ do: 'file', stageMs: 10_000 }));
	return `/api/files/${(await answer.json()).id}`;
}
