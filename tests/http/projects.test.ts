// Two projects and three people, over HTTP: who may see and do what, and who learns of what.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Project } from '#lib/shared/projects.ts';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import {
	addTo,
	begin,
	codeOf,
	type Colleague,
	enterAs,
	filesIn,
	invite,
	join,
	post,
	send,
	uploadTo
} from './project-people.ts';

let server: TestServer;
let ada: Colleague;
let bob: Colleague;
let eve: Colleague;

beforeAll(async () => {
	server = await startServer();
	ada = await enterAs(server, 'ada@localhost');
	bob = await enterAs(server, 'bob@localhost');
	eve = await enterAs(server, 'eve@localhost');
});
afterAll(() => server.dispose());

describe('a project', () => {
	it('is its members’: to everybody else there is none, whatever they ask', async () => {
		const project = await begin(ada, 'Hers');
		const file = await addTo(ada, project, 'plan.txt', `a plan for the quay ${randomUUID()}`);
		await begin(eve, 'Another');
		const at = `/api/projects/${project.id}`;
		const asked: [method: string, path: string, body?: unknown][] = [
			['GET', at],
			['PATCH', at, { name: 'Mine' }],
			['DELETE', at],
			['GET', `${at}/members`],
			['PATCH', `${at}/members/${ada.userId}`, { role: 'viewer' }],
			['DELETE', `${at}/members/${eve.userId}`],
			['GET', `${at}/invitations`],
			['POST', `${at}/invitations`, { email: 'x@example.org' }],
			['DELETE', `${at}/invitations/${randomUUID()}`],
			['GET', `${at}/files`],
			['GET', `${at}/events`],
			['GET', `${at}/status`],
			['HEAD', `${at}/status`],
			['GET', `${at}/changes`],
			['GET', `${at}/proposals`],
			['PATCH', `${at}/proposals/${randomUUID()}`, { status: 'accepted' }],
			['GET', `/api/search?q=quay&project=${project.id}`]
		];
		for (const [method, path, body] of asked) {
			const foreign = await send(eve, method, path, body);
			const missing = await send(eve, method, path.replaceAll(project.id, randomUUID()), body);
			expect(foreign.status, `${method} ${path}`).toBe(404);
			expect(missing.status, `${method} ${path}`).toBe(404);
			if (method !== 'HEAD') expect((await foreign.json()).code).toBe('project.not_found');
		}
		expect(await codeOf(uploadTo(eve, project, 'x.txt', 'x'))).toBe('404 project.not_found');
		expect(await codeOf(eve.ask('/api/projects/none'))).toBe('404 project.not_found');
		for (const [method, rest] of [
			['GET', ''],
			['GET', '/content'],
			['GET', '/details'],
			['GET', '/events'],
			['DELETE', ''],
			['POST', '/retry'],
			['POST', '/cancel'],
			['POST', '/next']
		] as const)
			expect(await codeOf(send(eve, method, `/api/files/${file.id}${rest}`))).toBe('404 file.not_found');
		// Several at once: each file for itself, and an archive of what one may read only.
		const many = await (await post(eve, '/api/files/delete', { ids: [file.id] })).json();
		expect(many).toMatchObject({ deleted: [], errors: [{ id: file.id, code: 'file.not_found' }] });
		expect(await codeOf(post(eve, '/api/files/zip', { ids: [file.id] }))).toBe('404 file.not_found');
		expect(await codeOf(post(ada, '/api/files/zip', { ids: [file.id] }))).toBe('200');
		expect(await filesIn(ada, project)).toHaveLength(1);
	});

	it('has its own list; people’s own lists and what they are told of duplicates stay apart from it', async () => {
		const project = await begin(ada, 'Apart');
		const content = `the same words ${randomUUID()}`;
		const own = await ada.add('own.txt', content);
		const shared = await addTo(ada, project, 'shared.txt', content);
		expect(shared.duplicate_of).toBeNull();
		expect((await addTo(ada, project, 'again.txt', content)).duplicate_of).toBe(shared.id);
		expect((await filesIn(ada, project)).map(({ filename }) => filename).toSorted()).toEqual([
			'again.txt',
			'shared.txt'
		]);
		const names = (await ada.list()).map(({ id }) => id);
		expect(names).toContain(own.id);
		expect(names).not.toContain(shared.id);
	});

	it('lets viewers read and search, editors work, and only its owner decide about it', async () => {
		const project = await begin(ada, 'Roles');
		await join(ada, project, bob, 'viewer');
		const word = `wharf${randomUUID().slice(0, 8)}`;
		const file = await addTo(ada, project, 'report.txt', `Everything about the ${word}.`);
		const at = `/api/projects/${project.id}`;
		const search = async (path: string) =>
			(await (await bob.ask(`/api/search?q=${word}${path}`)).json()).results;
		await eventually(async () => expect(await search(`&project=${project.id}`)).toHaveLength(1), {
			timeoutMs: 20_000
		});
		expect(await search('')).toHaveLength(1);
		expect((await (await eve.ask(`/api/search?q=${word}`)).json()).results).toEqual([]);
		expect((await bob.get(file.id)).filename).toBe('report.txt');
		expect(await (await bob.ask(`/api/files/${file.id}/content`)).text()).toContain(word);
		expect(await filesIn(bob, project)).toHaveLength(1);

		const owners: [string, string, unknown?][] = [
			['PATCH', at, { name: 'Mine now' }],
			['DELETE', at],
			['GET', `${at}/invitations`],
			['POST', `${at}/invitations`, { email: 'x@example.org' }],
			['PATCH', `${at}/members/${bob.userId}`, { role: 'editor' }],
			['DELETE', `${at}/members/${ada.userId}`]
		];
		const editors = () => [
			codeOf(uploadTo(bob, project, 'mine.txt', `mine ${word}`)),
			codeOf(send(bob, 'POST', `/api/files/${file.id}/retry`, { again: true })),
			codeOf(send(bob, 'DELETE', `/api/files/${file.id}`))
		];
		for (const [method, path, body] of owners)
			expect(await codeOf(send(bob, method, path, body))).toBe('403 project.forbidden');
		for (const answer of editors()) expect(await answer).toBe('403 project.forbidden');

		expect(await codeOf(send(ada, 'PATCH', `${at}/members/${bob.userId}`, { role: 'editor' }))).toBe('200');
		for (const [method, path, body] of owners)
			expect(await codeOf(send(bob, method, path, body))).toBe('403 project.forbidden');
		expect(await codeOf(uploadTo(bob, project, 'mine.txt', `mine ${word}`))).toBe('201');
		expect(await codeOf(send(bob, 'POST', `/api/files/${file.id}/retry`, { again: true }))).toBe('202');
		expect(await codeOf(send(bob, 'DELETE', `/api/files/${file.id}`))).toBe('204');
		expect((await filesIn(ada, project)).map(({ filename }) => filename)).toEqual(['mine.txt']);
	});

	it('keeps its owner; everybody else may go, and what they added stays', async () => {
		const project = await begin(ada, 'Leaving');
		await join(ada, project, bob, 'editor');
		const { id } = await addTo(bob, project, 'kept.txt', `kept ${randomUUID()}`);
		const member = (userId: string) => `/api/projects/${project.id}/members/${userId}`;
		expect(await codeOf(send(ada, 'DELETE', member(ada.userId)))).toBe('409 project.owner_stays');
		expect(await codeOf(send(ada, 'PATCH', member(ada.userId), { role: 'viewer' }))).toBe(
			'409 project.owner_stays'
		);
		expect(await codeOf(send(ada, 'DELETE', member(eve.userId)))).toBe('404 project.not_found');
		expect(await codeOf(send(bob, 'DELETE', member(bob.userId)))).toBe('204');
		expect(await codeOf(bob.ask(`/api/files/${id}`))).toBe('404 file.not_found');
		expect((await bob.list()).map((file) => file.id)).not.toContain(id);
		expect((await filesIn(ada, project)).map((file) => file.id)).toEqual([id]);
	});

	it('that is deleted gives its files back to its owner, and to nobody else', async () => {
		const project = await begin(ada, 'Short');
		await join(ada, project, bob, 'editor');
		const { id } = await addTo(bob, project, 'back.txt', `back ${randomUUID()}`);
		expect(await codeOf(send(ada, 'DELETE', `/api/projects/${project.id}`))).toBe('204');
		expect(await codeOf(ada.ask(`/api/projects/${project.id}`))).toBe('404 project.not_found');
		expect((await ada.list()).map((file) => file.id)).toContain(id);
		expect(await codeOf(bob.ask(`/api/files/${id}`))).toBe('404 file.not_found');
		expect((await ada.ended([id]))[0]?.status).toBe('completed');
	});

	it('has a name that people can read', async () => {
		for (const name of ['', '   ', 'x'.repeat(101), 'a\nb', 7, undefined])
			expect(await codeOf(post(ada, '/api/projects', { name }))).toBe('400 request.invalid');
		const { id } = await begin(ada, ' Größe 数 ');
		const answer = await send(ada, 'PATCH', `/api/projects/${id}`, { name: 'Renamed' });
		expect(await answer.json()).toMatchObject({
			id,
			name: 'Renamed',
			role: 'owner',
			file_count: 0,
			member_count: 1
		});
		const { projects }: { projects: Project[] } = await (await ada.ask('/api/projects')).json();
		expect(projects.find((project) => project.id === id)?.name).toBe('Renamed');
	});
});

describe('an invitation', () => {
	it('is for the person who has signed in with that address, once', async () => {
		const project = await begin(ada, 'Invited');
		const { id, expires_at } = await invite(ada, project, '  BOB@localhost ');
		expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(13.9 * 86_400_000);
		expect(Date.parse(expires_at) - Date.now()).toBeLessThan(14.1 * 86_400_000);
		const listed = (await (await bob.ask('/api/invitations')).json()).invitations;
		expect(listed).toMatchObject([{ id, role: 'viewer', project: { id: project.id, name: 'Invited' } }]);
		expect((await (await eve.ask('/api/invitations')).json()).invitations).toEqual([]);

		const accept = `/api/invitations/${id}/accept`;
		expect(await codeOf(post(eve, accept))).toBe('404 invitation.not_found');
		expect(await codeOf(post(ada, accept))).toBe('404 invitation.not_found');
		expect(await codeOf(send(eve, 'DELETE', `/api/invitations/${id}`))).toBe('404 invitation.not_found');
		expect(await codeOf(post(bob, accept))).toBe('200');
		expect(await codeOf(post(bob, accept))).toBe('404 invitation.not_found');
		expect(await codeOf(send(ada, 'DELETE', `/api/projects/${project.id}/members/${bob.userId}`))).toBe(
			'204'
		);
		expect(await codeOf(post(bob, accept))).toBe('404 invitation.not_found');
		expect(await codeOf(bob.ask(`/api/projects/${project.id}`))).toBe('404 project.not_found');
	});

	it('can be withdrawn, declined and made anew, and then only the newest counts', async () => {
		const project = await begin(ada, 'Again');
		const first = await invite(ada, project, bob.email);
		const second = await invite(ada, project, bob.email, 'editor');
		expect(second.id).toBe(first.id);
		const { invitations } = await (await ada.ask(`/api/projects/${project.id}/invitations`)).json();
		expect(invitations).toMatchObject([{ id: first.id, role: 'editor' }]);
		expect(await codeOf(send(ada, 'DELETE', `/api/projects/${project.id}/invitations/${first.id}`))).toBe(
			'204'
		);
		expect(await codeOf(post(bob, `/api/invitations/${first.id}/accept`))).toBe('404 invitation.not_found');
		const third = await invite(ada, project, bob.email);
		expect(await codeOf(send(bob, 'DELETE', `/api/invitations/${third.id}`))).toBe('204');
		expect(await codeOf(post(bob, `/api/invitations/${third.id}/accept`))).toBe('404 invitation.not_found');
	});

	it('tells nobody whether an address has an account', async () => {
		const project = await begin(ada, 'Silent');
		const known = await invite(ada, project, eve.email);
		const unknown = await invite(ada, project, 'nobody-at-all@localhost');
		expect(Object.keys(known)).toEqual(Object.keys(unknown));
		expect({ ...known, id: 0, email: 0, created_at: 0, expires_at: 0 }).toEqual({
			...unknown,
			id: 0,
			email: 0,
			created_at: 0,
			expires_at: 0
		});
		await join(ada, project, bob, 'viewer');
		expect(await codeOf(post(ada, `/api/projects/${project.id}/invitations`, { email: bob.email }))).toBe(
			'409 project.already_member'
		);
		for (const email of ['', 'no address', 'a@b@c', 7])
			expect(await codeOf(post(ada, `/api/projects/${project.id}/invitations`, { email }))).toBe(
				'400 request.invalid'
			);
	});

	it('cannot make a stranger the owner, and there are not more than may wait', async () => {
		const project = await begin(ada, 'Many');
		const at = `/api/projects/${project.id}/invitations`;
		expect(await codeOf(post(ada, at, { email: 'x@example.org', role: 'owner' }))).toBe(
			'409 project.not_a_member'
		);
		for (let i = 0; i < 50; i += 1) await invite(ada, project, `p${i}@example.org`);
		expect(await codeOf(post(ada, at, { email: 'one-more@example.org' }))).toBe('409 invitation.too_many');
		expect(await codeOf(post(ada, at, { email: 'p1@example.org' }))).toBe('201');
	});
});
