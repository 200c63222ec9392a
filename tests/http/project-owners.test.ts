// A project changes hands: offered by its owner, taken by a member, with all that it holds.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
import { aTusPerson } from './tus-person.ts';

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
const accept = (person: Colleague, { id }: { id: string }) => post(person, `/api/invitations/${id}/accept`);
const hasRoomFor = async (person: Colleague, size: number) => {
	const answer = await aTusPerson(person).create({ size });
	if (answer.ok) await aTusPerson(person).terminate(answer.headers.get('location') ?? '');
	return answer.ok;
};

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
				expect((await filesIn(ada, project)).map(({ status }) => status)).toEqual(['completed', 'completed']),
			{ timeoutMs: 30_000 }
		);
		const content = Buffer.from(words(20_000));
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
		expect(await codeOf(send(bob, 'DELETE', `${at}/members/${bob.userId}`))).toBe('409 project.owner_stays');
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
