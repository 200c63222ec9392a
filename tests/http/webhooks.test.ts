// Webhooks as another program meets them: subscriptions over HTTP, and messages that survive the death of the server.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Delivery, Webhook } from '#lib/shared/webhooks.ts';
import { eventually } from '../support/eventually.ts';
import { type Receiver, startReceiver, verify } from '../support/receiver.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';

const events = ['file.completed', 'file.failed', 'file.deleted'];
let server: TestServer;
let receiver: Receiver;

beforeAll(async () => {
	server = await startServer({ WEBHOOK_ALLOW_PRIVATE: 'on' });
	receiver = await startReceiver();
});
afterAll(async () => {
	await server.dispose();
	await receiver.close();
});

const asJson = (body: unknown, method = 'POST'): RequestInit => ({
	method,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body)
});

async function subscribe(person: Person, url = receiver.url): Promise<{ webhook: Webhook; secret: string }> {
	const answer = await person.ask('/api/webhooks', asJson({ url, events }));
	expect(answer.status).toBe(201);
	return answer.json();
}

async function deliveriesOf(person: Person, id: string): Promise<Delivery[]> {
	return (await (await person.ask(`/api/webhooks/${id}/deliveries`)).json()).deliveries;
}

it('a webhook is added, changed, tried, read and removed; its secret is told once', async () => {
	const ada = await enter(server, 'crud@localhost');
	const { webhook, secret } = await subscribe(ada);
	expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
	const path = `/api/webhooks/${webhook.id}`;
	expect(await (await ada.ask('/api/webhooks')).json()).toEqual({ webhooks: [webhook] });
	expect(JSON.stringify(await (await ada.ask(path)).json())).not.toContain(secret.slice(6));

	const tried = await ada.ask(`${path}/test`, { method: 'POST' });
	expect(tried.status).toBe(202);
	const { id } = await tried.json();
	await eventually(async () =>
		expect(await deliveriesOf(ada, webhook.id)).toMatchObject([
			{ id, event: 'webhook.test', status: 'delivered', attempts: 1, response_status: 200 }
		])
	);
	const received = receiver.received.find(({ headers }) => headers['webhook-id'] === id);
	expect(received && verify(secret, received)).toMatchObject({ type: 'webhook.test' });

	expect((await ada.ask(`${path}/deliveries/${id}/replay`, { method: 'POST' })).status).toBe(202);
	await eventually(() => expect(receiver.ids().filter((one) => one === id)).toHaveLength(2));

	const changed = await ada.ask(path, asJson({ events: ['file.deleted'], is_enabled: false }, 'PATCH'));
	expect(await changed.json()).toMatchObject({ events: ['file.deleted'], is_enabled: false });
	expect((await ada.ask(path, { method: 'DELETE' })).status).toBe(204);
	expect(await ada.refusal(path)).toBe('404 webhook.not_found');
	expect(server.output()).not.toContain(secret.slice(6));
});

it('what is wrong is refused with its code, and what is somebody else’s is not there', async () => {
	const ada = await enter(server, 'owner@localhost');
	const eve = await enter(server, 'eve@localhost');
	const { webhook } = await subscribe(ada);
	const path = `/api/webhooks/${webhook.id}`;
	for (const [method, at] of [
		['GET', path],
		['DELETE', path],
		['GET', `${path}/deliveries`],
		['POST', `${path}/test`],
		['POST', `${path}/deliveries/${webhook.id}/replay`]
	] as const) {
		expect(await eve.refusal(at, { method }), `${method} ${at}`).toBe('404 webhook.not_found');
	}
	expect(await eve.refusal(path, asJson({ is_enabled: false }, 'PATCH'))).toBe('404 webhook.not_found');
	expect(await ada.refusal('/api/webhooks/1')).toBe('404 webhook.not_found');
	expect(await ada.refusal(`${path}/deliveries/${webhook.id}/replay`, { method: 'POST' })).toBe(
		'404 webhook.delivery_not_found'
	);
	for (const body of [
		{},
		{ url: 'nowhere', events },
		{ url: receiver.url, events: [] },
		{ url: 1, events }
	]) {
		expect(await ada.refusal('/api/webhooks', asJson(body))).toBe('400 request.invalid');
	}
	expect(await ada.refusal('/api/webhooks', asJson({ url: 'ftp://example.org', events }))).toBe(
		'422 webhook.address_refused'
	);
	const answer = await fetch(new URL('/api/webhooks', server.url));
	expect(answer.status).toBe(401);
});

it('the test button is not a hammer', async () => {
	const ada = await enter(server, 'hammer@localhost');
	const { webhook } = await subscribe(ada);
	const tried = await Promise.all(
		Array.from({ length: 15 }, () => ada.ask(`/api/webhooks/${webhook.id}/test`, { method: 'POST' }))
	);
	expect(tried.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(12);
	expect(tried.some(({ status }) => status === 429)).toBe(true);
});

it('a receiver that is gone for good switches its webhook off, and the owner is told', async () => {
	const ada = await enter(server, 'gone@localhost');
	const gone = await startReceiver();
	gone.answer = (response) => void response.writeHead(410).end();
	const { webhook } = await subscribe(ada, gone.url);
	await ada.ask(`/api/webhooks/${webhook.id}/test`, { method: 'POST' });
	await eventually(async () => {
		const { events } = await (await ada.ask('/api/files/changes')).json();
		expect(events).toMatchObject([
			{ eventType: 'notification', kept: true, data: { title: 'A webhook was switched off' } }
		]);
	});
	expect(await (await ada.ask(`/api/webhooks/${webhook.id}`)).json()).toMatchObject({ is_enabled: false });
	await gone.close();
});

it('private addresses are refused unless the operator allows them', { timeout: 60_000 }, async () => {
	const strict = await startServer();
	try {
		const ada = await enter(strict);
		for (const url of [
			receiver.url,
			'https://127.0.0.1:1/',
			'https://169.254.169.254/',
			'http://example.org/'
		]) {
			expect(await ada.refusal('/api/webhooks', asJson({ url, events })), url).toBe(
				'422 webhook.address_refused'
			);
		}
		// A name is judged when it is called (address.test.ts has what names can lead to).
		const receivedBefore = receiver.types().filter((type) => type === 'webhook.test').length;
		const { webhook } = await subscribe(ada, `https://localhost:${new URL(receiver.url).port}/`);
		await ada.ask(`/api/webhooks/${webhook.id}/test`, { method: 'POST' });
		await eventually(async () =>
			expect(await deliveriesOf(ada, webhook.id)).toMatchObject([
				{ status: 'waiting', response_status: null, error: expect.any(String) }
			])
		);
		expect(receiver.types().filter((type) => type === 'webhook.test')).toHaveLength(receivedBefore);
	} finally {
		await strict.dispose();
	}
});

it('what ended before a kill -9 is delivered after the next start, at least once, with one id', async () => {
	const late = await startReceiver();
	const env = { WEBHOOK_ALLOW_PRIVATE: 'on', DATA_DIR: server.dataDir };
	await server.kill();
	server = await startServer(env);
	const ada = await enter(server, 'killed@localhost');
	await subscribe(ada, late.url);
	// The first attempt hangs in the receiver while the server dies.
	late.answer = () => undefined;
	const file = await ada.add('notes.txt', 'The uniquelantern hangs over the quay.');
	await ada.ended([file.id]);
	await eventually(() => expect(late.received).toHaveLength(1));
	await server.kill();
	late.answer = (response) => void response.end();
	server = await startServer(env);
	await eventually(() => expect(late.received.length).toBeGreaterThan(1), { timeoutMs: 10_000 });
	expect(new Set(late.ids()).size).toBe(1);
	expect(late.received.at(-1)?.message).toMatchObject({ type: 'file.completed', data: { id: file.id } });
	await late.close();
});
