// What a project's files suggest and tell. Topics, from files to tags, with the real stages and the thread that looks for
// them; webhooks of a project: what they hear, who may do what with them, what becomes of them; and new secrets.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Proposal } from '#lib/shared/projects.ts';
import type { Webhook, WebhookAdded } from '#lib/shared/webhooks.ts';
import { eventually } from '../support/eventually.ts';
import { type Receiver, startReceiver, verify } from '../support/receiver.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { addTo, begin, codeOf, type Colleague, enterAs, join, post, send } from './project-people.ts';

let server: TestServer;
let receiver: Receiver;
let ada: Colleague;
let bob: Colleague;

beforeAll(async () => {
	server = await startServer({ WEBHOOK_ALLOW_PRIVATE: 'on' });
	ada = await enterAs(server, 'ada@localhost');
	bob = await enterAs(server, 'bob@localhost');
});
afterAll(() => server.dispose());
beforeEach(async () => {
	receiver = await startReceiver();
	return () => receiver.close();
});

const all = ['file.completed', 'file.failed', 'file.deleted', 'proposal.created'];

async function subscribe(person: Colleague, project?: { id: string }): Promise<WebhookAdded> {
	const answer = await post(person, '/api/webhooks', {
		url: receiver.url,
		events: all,
		project: project?.id
	});
	expect(answer.status).toBe(201);
	return answer.json();
}

/** Those of the project, or of everything. */
async function seenBy(person: Colleague, of?: { id: string }): Promise<Webhook[]> {
	const { webhooks }: { webhooks: Webhook[] } = await (await person.ask('/api/webhooks')).json();
	return webhooks.filter(({ project }) => of === undefined || project?.id === of.id);
}

const arrivals = () =>
	receiver.received.map(({ message }) => `${message.type} ${message.data.filename ?? message.data.title}`);

it(
	'files suggest topics, and accepted ones are tags that filter and search',
	{ timeout: 60_000 },
	async () => {
		const project = await begin(ada, 'Topics');
		await join(ada, project, bob, 'viewer');
		const at = `/api/projects/${project.id}`;
		await addTo(ada, project, 'one.txt', 'The quay wall was repaired. Everybody likes the quay wall.');
		await addTo(ada, project, 'two.txt', 'Cracks in the quay wall were found by divers.');
		await addTo(ada, project, 'three.txt', 'Minutes about the canteen, with divers present.');
		const proposals = async (): Promise<Proposal[]> =>
			(await (await bob.ask(`${at}/proposals`)).json()).proposals;
		const wall = await eventually(
			async () => {
				const found = (await proposals()).find(
					({ title, file_count }) => title === 'Quay wall' && file_count === 2
				);
				expect(found).toBeDefined();
				return found;
			},
			{ timeoutMs: 30_000 }
		);
		expect(wall?.passages.map(({ filename }) => filename).toSorted()).toEqual(['one.txt', 'two.txt']);
		const path = `${at}/proposals/${wall?.id}`;
		expect(await codeOf(send(bob, 'PATCH', path, { status: 'accepted' }))).toBe('403 project.forbidden');
		for (const body of [{}, { status: 'gone' }, { title: '' }])
			expect(await codeOf(send(ada, 'PATCH', path, body))).toBe('400 request.invalid');
		expect(await codeOf(send(ada, 'PATCH', path, { status: 'accepted', title: 'Quay' }))).toBe('200');

		const names = async (path: string, key: 'files' | 'results') => {
			const found = (await (await bob.ask(path)).json())[key] as {
				filename?: string;
				file?: { filename: string };
			}[];
			return found.map(({ filename, file }) => filename ?? file?.filename).toSorted();
		};
		expect(await names(`${at}/files?tag=quay`, 'files')).toEqual(['one.txt', 'two.txt']);
		expect(await names(`${at}/files?tag=nothing`, 'files')).toEqual([]);
		expect(await names(`/api/search?q=divers&project=${project.id}`, 'results')).toEqual([
			'three.txt',
			'two.txt'
		]);
		expect(await names(`/api/search?q=divers&tag=Quay`, 'results')).toEqual(['two.txt']);
		expect(await codeOf(send(ada, 'PATCH', path, { status: 'dismissed' }))).toBe('200');
		expect(await names(`${at}/files?tag=quay`, 'files')).toEqual([]);
	}
);

describe('a webhook of a project', () => {
	it('hears of that project, and of nothing else of anybody', async () => {
		const [project, other] = [await begin(ada, 'Heard'), await begin(ada, 'Another')];
		await join(ada, project, bob, 'editor');
		const { webhook, secret } = await subscribe(bob, project);
		expect(webhook).toMatchObject({ project: { id: project.id, name: 'Heard' }, you_may: 'change' });
		const words = 'The quay wall stands. Nobody moved the quay wall.';
		await addTo(ada, other, 'elsewhere.txt', words);
		await ada.add('own.txt', words);
		await bob.add('own-too.txt', words);
		const { id } = await addTo(ada, project, 'a.txt', words);
		await addTo(bob, project, 'b.txt', 'Cracks in the quay wall.');
		await eventually(
			() =>
				expect(arrivals()).toEqual(
					expect.arrayContaining([
						'file.completed a.txt',
						'file.completed b.txt',
						'proposal.created Quay wall'
					])
				),
			{ timeoutMs: 30_000 }
		);
		await send(ada, 'DELETE', `/api/files/${id}`);
		await eventually(() => expect(arrivals()).toContain('file.deleted a.txt'));
		expect(arrivals().filter((one) => /own|elsewhere/.test(one))).toEqual([]);
		const [first] = receiver.received;
		expect(first && verify(secret, first)).toMatchObject({ data: { project_id: project.id } });
	});

	it('is seen by those who may edit, changed by whoever made it, and removed by the owner, too', async () => {
		const project = await begin(ada, 'Seen');
		const eve = await enterAs(server, 'eve@localhost');
		const asked = { url: receiver.url, events: all, project: project.id };
		expect(await codeOf(post(bob, '/api/webhooks', asked))).toBe('404 project.not_found');
		await join(ada, project, bob, 'editor');
		await join(ada, project, eve, 'viewer');
		expect(await codeOf(post(eve, '/api/webhooks', asked))).toBe('403 project.forbidden');
		const { webhook } = await subscribe(bob, project);
		const path = `/api/webhooks/${webhook.id}`;
		const mayOf = async (person: Colleague) =>
			(await seenBy(person)).find(({ id }) => id === webhook.id)?.you_may;
		expect([await mayOf(ada), await mayOf(bob), await mayOf(eve)]).toEqual(['remove', 'change', undefined]);
		expect(await codeOf(ada.ask(`${path}/deliveries`))).toBe('200');
		for (const [method, rest] of [
			['PATCH', ''],
			['POST', '/test'],
			['POST', '/secret'],
			['POST', `/deliveries/${webhook.id}/replay`]
		] as const) {
			expect(await codeOf(send(ada, method, path + rest, {}))).toBe('403 webhook.not_yours');
			expect(await codeOf(send(eve, method, path + rest, {}))).toBe('404 webhook.not_found');
		}
		expect(await codeOf(send(eve, 'DELETE', path))).toBe('404 webhook.not_found');

		// May edit, but neither made it nor owns the project.
		const role = (person: Colleague, given: string) =>
			send(ada, 'PATCH', `/api/projects/${project.id}/members/${person.userId}`, { role: given });
		await role(eve, 'editor');
		expect(await mayOf(eve)).toBe('look');
		expect(await codeOf(send(eve, 'DELETE', path))).toBe('403 webhook.not_yours');
		// Made it, but may not edit any more.
		await role(bob, 'viewer');
		expect(await mayOf(bob)).toBe('remove');
		expect(await codeOf(send(bob, 'PATCH', path, { url: receiver.url }))).toBe('403 webhook.not_yours');
		expect(await codeOf(send(ada, 'DELETE', path))).toBe('204');
		expect(await seenBy(bob, project)).toEqual([]);
	});

	it('ends with the membership of whoever made it, and with the project', async () => {
		const project = await begin(ada, 'Ends');
		await join(ada, project, bob, 'editor');
		await subscribe(bob, project);
		await subscribe(ada, project);
		await send(ada, 'DELETE', `/api/projects/${project.id}/members/${bob.userId}`);
		expect(await seenBy(bob, project)).toEqual([]);
		expect(await seenBy(ada, project)).toHaveLength(1);
		await send(ada, 'DELETE', `/api/projects/${project.id}`);
		expect(await seenBy(ada, project)).toEqual([]);
	});
});

it('a new secret signs beside the one before, and a third ends the first', async () => {
	const { webhook, secret } = await subscribe(bob);
	const path = `/api/webhooks/${webhook.id}`;
	const change = async (): Promise<WebhookAdded> => (await post(bob, `${path}/secret`)).json();
	const test = async () => {
		const { id } = await (await post(bob, `${path}/test`)).json();
		return eventually(() => {
			const found = receiver.received.find(({ headers }) => headers['webhook-id'] === id);
			if (!found) throw new Error('it has not come yet');
			return found;
		});
	};
	const second = await change();
	const until = Date.parse(second.webhook.old_secret_until ?? '') - Date.now();
	expect(until).toBeGreaterThan(23.9 * 3_600_000);
	expect(until).toBeLessThan(24.1 * 3_600_000);
	const both = await test();
	for (const one of [secret, second.secret])
		expect(verify(one, both)).toMatchObject({ type: 'webhook.test' });

	const third = await change();
	const now = await test();
	for (const one of [second.secret, third.secret]) expect(verify(one, now)).toMatchObject({});
	expect(() => verify(secret, now)).toThrow('signature');
	expect(JSON.stringify(await seenBy(bob))).not.toContain('whsec');
});
