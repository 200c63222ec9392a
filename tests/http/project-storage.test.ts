// What projects hold, and whose storage it counts for: uploads in pieces into a project, for those who may add to it, from
// the first request to the last; and a project that changes hands, with all that it holds.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
	send
} from './project-people.ts';
import { aTusPerson, said, tusHeaders } from './tus-person.ts';

let server: TestServer;
let ada: Colleague;
let bob: Colleague;

beforeAll(async () => {
	server = await startServer({ USER_QUOTA_BYTES: '100000' });
	ada = await enterAs(server, 'ada@localhost');
	bob = await enterAs(server, 'bob@localhost');
});
afterAll(() => server.dispose());

const words = (bytes: number) => randomBytes(bytes).toString('hex').slice(0, bytes);
const aText = (bytes = 2000) => Buffer.from(words(bytes));
const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');
/** Whether so many bytes could be announced for this person's storage. */
async function hasRoomFor(person: Colleague, size: number): Promise<boolean> {
	const tus = aTusPerson(person);
	const answer = await tus.create({ size });
	if (answer.status === 201) await tus.terminate(answer.headers.get('location') ?? '');
	return answer.status === 201;
}
const accept = (person: Colleague, { id }: { id: string }) => post(person, `/api/invitations/${id}/accept`);

describe('an upload into a project', () => {
	it('becomes a file of the project, in its owner’s storage, and never two', async () => {
		const project = await begin(ada);
		await join(ada, project, bob, 'editor');
		const content = aText();
		const tus = aTusPerson(bob);
		const upload = { size: content.length, filename: 'plan.txt', path: 'Quay/2026', project: project.id };
		const url = await tus.begin(upload);
		expect((await tus.patch(url, 0, content.subarray(0, 700))).headers.get('upload-offset')).toBe('700');
		// Whoever else is in the project does not send for him.
		expect((await aTusPerson(ada).head(url)).headers.get('asura-error')).toBe('upload.not_found');
		const id = (await tus.patch(url, 700, content.subarray(700))).headers.get('asura-file-id');
		expect((await tus.head(url)).headers.get('asura-file-id')).toBe(id);
		expect(await filesIn(ada, project)).toMatchObject([{ id, filename: 'plan.txt', folder: 'Quay/2026' }]);
		for (const person of [ada, bob]) expect((await person.list()).map((file) => file.id)).not.toContain(id);

		const known = async (person: Colleague, more: object) =>
			(await (await post(person, '/api/files/known', { sha256: [hashOf(content)], ...more })).json()).files;
		expect(await known(bob, { project: project.id })).toMatchObject([{ id }]);
		expect(await known(bob, {})).toEqual([]);
	});

	it('counts for the owner from its announcement on', async () => {
		const project = await begin(ada, 'Full');
		await join(ada, project, bob, 'editor');
		expect(await hasRoomFor(ada, 60_000)).toBe(true);
		const url = await aTusPerson(bob).begin({ size: 60_000, project: project.id });
		expect(await hasRoomFor(ada, 60_000)).toBe(false);
		expect(await hasRoomFor(bob, 60_000)).toBe(true);
		expect((await aTusPerson(bob).terminate(url)).status).toBe(204);
		expect(await hasRoomFor(ada, 60_000)).toBe(true);
	});

	it('is refused at once to whoever may not add to it', async () => {
		const project = await begin(ada, 'Looking');
		const tus = aTusPerson(bob);
		for (const id of [project.id, 'none'])
			expect(await said(await tus.create({ size: 10, project: id }))).toBe('404 project.not_found');
		expect(await said(await tus.create({ size: 10, project: '' }))).toBe('400 request.invalid');
		expect(
			await codeOf(post(bob, '/api/files/known', { sha256: [hashOf(aText())], project: project.id }))
		).toBe('404 project.not_found');
		await join(ada, project, bob, 'viewer');
		expect(await said(await tus.create({ size: 10, project: project.id }))).toBe('403 project.forbidden');
	});

	it.each([
		['was removed', 'DELETE', undefined, 404, 'project.not_found'],
		['may only look now', 'PATCH', { role: 'viewer' }, 403, 'project.forbidden']
	] as const)(
		'of somebody who %s ends with a word, and leaves nothing',
		async (_, method, body, status, code) => {
			const project = await begin(ada, 'Ending');
			await join(ada, project, bob, 'editor');
			const tus = aTusPerson(bob);
			const [begun, whole] = [aText(60_000), aText(1000)];
			const url = await tus.begin({ size: begun.length, project: project.id });
			await tus.patch(url, 0, begun.subarray(0, 30_000));
			// The last byte comes after the decision, in a request that began before it.
			const last = await tus.begin({ size: whole.length, project: project.id });
			const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
			const line = writable.getWriter();
			const ending = bob.ask(last, {
				method: 'PATCH',
				headers: { ...tusHeaders, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
				body: readable,
				...{ duplex: 'half' }
			});
			await line.write(whole.subarray(0, 400));
			const member = `/api/projects/${project.id}/members/${bob.userId}`;
			expect((await send(ada, method, member, body)).ok).toBe(true);
			await line.write(whole.subarray(400));
			await line.close();
			expect(await said(await ending)).toBe(`${status} ${code}`);

			const answer = await tus.head(url);
			expect([answer.status, answer.headers.get('asura-error')]).toEqual([status, code]);
			expect(await said(await tus.patch(url, 30_000, begun.subarray(30_000)))).toBe('404 upload.not_found');
			expect(await filesIn(ada, project)).toEqual([]);
			expect(await hasRoomFor(ada, 60_000)).toBe(true);
		}
	);

	it('of a project that is gone says so', async () => {
		const project = await begin(ada, 'Gone');
		const tus = aTusPerson(ada);
		const url = await tus.begin({ size: 60_000, project: project.id });
		await send(ada, 'DELETE', `/api/projects/${project.id}`);
		expect(await said(await tus.patch(url, 0, aText(100)))).toBe('404 project.not_found');
		expect(await hasRoomFor(ada, 60_000)).toBe(true);
	});
});

describe('a new owner', () => {
	it(
		'a member takes over what it holds, what is being sent to it, and its storage',
		{ timeout: 60_000 },
		async () => {
			const project = await begin(ada);
			const at = `/api/projects/${project.id}`;
			await join(ada, project, bob, 'editor');
			const same = `The lantern of the harbour. ${words(200)}`;
			const own = await ada.add('own.txt', same);
			const [first] = [
				await addTo(ada, project, 'first.txt', same),
				await addTo(bob, project, 'b.txt', words(30_000))
			];
			await eventually(
				async () =>
					expect((await filesIn(ada, project)).map(({ status }) => status)).toEqual([
						'completed',
						'completed'
					]),
				{ timeoutMs: 30_000 }
			);
			const content = aText(20_000);
			const url = await aTusPerson(bob).begin({ size: content.length, project: project.id });
			await aTusPerson(bob).patch(url, 0, content.subarray(0, 5000));

			const offer = await invite(ada, project, bob.email, 'owner');
			expect(await codeOf(accept(ada, offer))).toBe('404 invitation.not_found');
			expect(await codeOf(accept(bob, offer))).toBe('200');
			expect(await (await bob.ask(at)).json()).toMatchObject({ role: 'owner', file_count: 2 });
			expect(await (await ada.ask(at)).json()).toMatchObject({ role: 'editor' });
			expect(await codeOf(send(ada, 'PATCH', at, { name: 'Mine' }))).toBe('403 project.forbidden');
			expect([await hasRoomFor(ada, 90_000), await hasRoomFor(bob, 60_000)]).toEqual([true, false]);

			const found = async (person: Colleague, q: string) =>
				(await (await person.ask(`/api/search?q=${q}`)).json()).results.map(
					({ file }: { file: { id: string } }) => file.id
				);
			expect((await found(ada, 'lantern')).toSorted()).toEqual([own.id, first.id].toSorted());
			expect(await found(bob, 'lantern')).toEqual([first.id]);
			const last = await aTusPerson(bob).patch(url, 5000, content.subarray(5000));
			expect(last.headers.get('asura-file-id')).toMatch(/^[0-9a-f-]{36}$/);

			// Who has given it away may go; his own file stays whole when the project's goes.
			expect(await codeOf(send(ada, 'DELETE', `${at}/members/${ada.userId}`))).toBe('204');
			expect(await codeOf(send(bob, 'DELETE', `${at}/members/${bob.userId}`))).toBe(
				'409 project.owner_stays'
			);
			expect(await codeOf(send(bob, 'DELETE', `/api/files/${first.id}`))).toBe('204');
			expect(await found(ada, 'lantern')).toEqual([own.id]);
			expect(await codeOf(ada.ask(`/api/files/${own.id}/content`))).toBe('200');
		}
	);

	it('an offer is for members, for those with room, and for as long as it is the owner’s', async () => {
		const project = await begin(ada, 'Offered');
		const at = `/api/projects/${project.id}`;
		const eve = await enterAs(server, 'eve@localhost');
		const offer = { email: eve.email, role: 'owner' };
		expect(await codeOf(post(ada, `${at}/invitations`, offer))).toBe('409 project.not_a_member');
		expect(await codeOf(post(ada, `${at}/invitations`, { ...offer, email: ada.email }))).toBe(
			'409 project.not_a_member'
		);
		await join(ada, project, eve, 'viewer');
		expect(await codeOf(post(eve, `${at}/invitations`, offer))).toBe('403 project.forbidden');
		const offered = await invite(ada, project, eve.email, 'owner');
		const big = await aTusPerson(ada).begin({ size: 60_000, project: project.id });
		const taken = await aTusPerson(eve).begin({ size: 60_000 });
		expect(await codeOf(accept(eve, offered))).toBe('413 upload.quota_exceeded');
		await aTusPerson(eve).terminate(taken);
		await send(ada, 'DELETE', `${at}/members/${eve.userId}`);
		expect(await codeOf(accept(eve, offered))).toBe('404 invitation.not_found');
		await join(ada, project, eve, 'viewer');
		const again = await invite(ada, project, eve.email, 'owner');
		expect(await codeOf(accept(eve, again))).toBe('200');
		expect(await (await eve.ask(at)).json()).toMatchObject({ role: 'owner' });
		expect((await aTusPerson(ada).terminate(big)).status).toBe(204);
	});
});
