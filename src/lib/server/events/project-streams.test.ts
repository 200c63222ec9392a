// The streams of a project: the same promises as for a person's own files, for as long as somebody is a member.
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, type FilesState, merge, noFiles, type StreamMessage } from '#lib/shared/events.ts';
import { StatusMessage } from '#lib/shared/projects.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { insertFile } from '../../../../tests/support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../../../../tests/support/live.ts';
import type { Frame, SseClient } from '../../../../tests/support/sse.ts';
import { createProjects, type Projects } from '../projects/projects.ts';

let platform: TestPlatform;
let live: LiveServer;
let projects: Projects;
let ada: Person;
let bob: Person;
let projectId: string;
const open: SseClient[] = [];

beforeAll(async () => {
	platform = await openTestPlatform();
	live = await startLive(platform, { HEARTBEAT_SECONDS: '1' });
	const bell = { ring: (userId: string) => void platform.db.notify('asura_files', userId) };
	projects = createProjects({ db: platform.db, bell, quotaBytes: 1e9, leave: live.events.leave });
	ada = await live.signIn(`${randomUUID()}@localhost`);
	bob = await live.signIn(`${randomUUID()}@localhost`);
	projectId = (await projects.add(ada.userId, 'Streams')).id;
	await join();
});
afterEach(() => open.splice(0).forEach((client) => client.close()));
afterAll(async () => {
	await live.close();
	await platform.close();
});

const query = (sql: string, params: unknown[]) => platform.db.query(sql, params);

const join = () =>
	query(
		`insert into public.project_members (project_id, user_id, role) values ($1, $2, 'viewer') on conflict do nothing`,
		[projectId, bob.userId]
	);

async function addFile(name = 'shared.txt'): Promise<string> {
	const id = await insertFile(platform.db, ada.userId, name);
	await query('update public.files set project_id = $2 where id = $1', [id, projectId]);
	return id;
}

async function addProposal(title: string): Promise<string> {
	const { rows } = await platform.db.query<{ id: string }>(
		`insert into public.proposals (project_id, key, title, confidence) values ($1, $2, $2, 0.5) returning id::text`,
		[projectId, title]
	);
	return rows[0]?.id ?? '';
}

async function follow(person: Person, kind: 'web' | 'status', query = '', onFrame?: (frame: Frame) => void) {
	const path = `/${kind}?project=${projectId}${query}`;
	const client = await live.open(person, path, onFrame ? { onFrame } : {});
	open.push(client);
	return client;
}

const isBye = async (client: SseClient, reason: string) => {
	expect((await client.next('bye', 5000)).data).toMatchObject({ reason });
	await eventually(() => expect(client.isEnded).toBe(true));
};

describe('a project’s stream', () => {
	it('tells members of its files and nothing else, and their own streams nothing of it', async () => {
		const own = await insertFile(platform.db, ada.userId, 'own.txt');
		const shared = await addFile();
		const [hers, his, personal] = [
			await follow(ada, 'web'),
			await follow(bob, 'web'),
			await live.connect(ada)
		];
		open.push(personal);
		const idsOf = async (client: SseClient) =>
			((await client.next('snapshot')).data.files as { id: string }[]).map(({ id }) => id);
		expect(await idsOf(hers)).toContain(shared);
		expect(await idsOf(his)).not.toContain(own);
		expect(await idsOf(personal)).toEqual([own]);
		const added = await addFile('later.txt');
		// The bell rings by owner.
		await platform.db.notify('asura_files', ada.userId);
		for (const client of [hers, his])
			expect((await client.next('file-update')).data).toMatchObject({ file: { id: added } });
		await query('delete from public.files where id = $1', [added]);
		expect((await his.next('file-deleted')).data).toMatchObject({ file: { id: added } });
		const { data } = await his.next('heartbeat');
		const { files } = await live.changes.snapshot(projectId, undefined, bob.userId);
		expect(data.digest).toBe(digestOf(files));
	});

	it('continues where it was cut, any number of times, and ends in what the database holds', async () => {
		let state: FilesState = noFiles;
		const take = ({ data }: Frame) => void (state = merge(state, data as StreamMessage));
		const ids: string[] = [];
		let client = await follow(bob, 'web', '', take);
		await client.next('snapshot');
		for (let round = 0; round < 6; round += 1) {
			ids.push(await addFile(`round ${round}.txt`));
			if (round % 2) await client.next('file-update');
			const { lastEventId } = client;
			client.close();
			if (round === 3) await query('delete from public.files where id = $1', [ids[0]]);
			await query('update public.files set progress = progress + 1 where id = $1', [ids.at(-1)]);
			client = await follow(bob, 'web', `&cursor=${lastEventId}`, take);
			await client.next('connected');
			expect(client.named('reset')).toEqual([]);
		}
		await eventually(async () => {
			const { files } = await live.changes.snapshot(projectId, undefined, bob.userId);
			expect(digestOf(state.byId.values())).toBe(digestOf(files));
			expect(state.byId.has(ids[0] ?? '')).toBe(false);
		});
	});

	it('ends at once for a member who is removed, and for nobody else', async () => {
		await join();
		const [hers, his, status] = [
			await follow(ada, 'web'),
			await follow(bob, 'web'),
			await follow(bob, 'status')
		];
		const own = await live.connect(bob);
		open.push(own);
		await his.next('snapshot');
		const poll = live.open(bob, `/poll?project=${projectId}&wait=30&cursor=${his.lastEventId}`);
		await projects.members.remove(ada.userId, projectId, bob.userId);
		await isBye(his, 'removed');
		await isBye(status, 'removed');
		expect((await poll).status).toBe(404);
		expect([hers.isEnded, own.isEnded]).toEqual([false, false]);
		expect((await live.open(bob, `/web?project=${projectId}`)).status).toBe(404);
	});

	it('ends within five seconds when another process removed the member', async () => {
		await join();
		const his = await follow(bob, 'web');
		await his.next('snapshot');
		await query('delete from public.project_members where project_id = $1 and user_id = $2', [
			projectId,
			bob.userId
		]);
		await isBye(his, 'removed');
	});

	it('counts among the streams of a person', async () => {
		const clients = await Promise.all(Array.from({ length: 8 }, () => follow(ada, 'web')));
		expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 200));
		expect((await follow(ada, 'status')).status).toBe(429);
		expect((await live.connect(ada)).status).toBe(429);
	});

	it('says that topics changed, also to those who poll', async () => {
		const client = await follow(ada, 'web');
		await client.next('snapshot');
		const cursor = client.lastEventId;
		const id = await addProposal(`quays ${randomUUID()}`);
		expect((await client.next('proposal-update')).data).toMatchObject({
			proposal: { id, status: 'open', rev: 1 }
		});
		const poll = await live.open(ada, `/poll?project=${projectId}&cursor=${cursor}`);
		await eventually(() => expect(poll.text).toContain('proposal-update'));
	});
});

describe('a project’s status stream', () => {
	const messages = (client: SseClient) => client.named('message').map(({ data }) => data);
	const ofFile = (client: SseClient, id: string) =>
		messages(client).filter((data) => data.sourceId === id || data.jobId === id || data.proposalId === id);

	it('speaks in the shapes that its clients know, without event names', async () => {
		const id = await addFile('report.pdf');
		const client = await follow(ada, 'status');
		expect((await client.next('message')).data).toEqual({
			type: 'connected',
			message: 'Connected to status updates'
		});
		await eventually(() => expect(ofFile(client, id).map(({ type }) => type)).toContain('progress_update'));
		await query(
			`update public.files set status = 'processing', processing_stage = 'extraction', progress = 20 where id = $1`,
			[id]
		);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(4));
		await query('update public.files set progress = 40 where id = $1', [id]);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(5));
		await query(`update public.files set status = 'completed', progress = 100 where id = $1`, [id]);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(7));
		await query('delete from public.files where id = $1', [id]);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(8));
		const said = ofFile(client, id);
		const text = expect.any(String);
		const update = (status: string) => ({
			type: 'status_update',
			sourceId: id,
			status,
			sourceName: 'report.pdf',
			updatedAt: text
		});
		const progress = (stage: string, current: number) => ({
			type: 'progress_update',
			jobId: id,
			progress: { stage, current, total: 100, message: text, timestamp: expect.any(Number) }
		});
		expect(said).toEqual([
			update('pending'),
			progress('pending', 0),
			update('processing'),
			progress('extraction', 20),
			progress('extraction', 40),
			update('completed'),
			progress('complete', 100),
			{ ...update('deleted'), sourceName: '' }
		]);
		for (const message of said) v.parse(StatusMessage, message);
		// What is ours comes under its own name, where these clients do not hear it.
		expect((await client.next('heartbeat')).data).toMatchObject({ eventType: 'heartbeat' });
	});

	it('tells of topics: new, changed and gone', async () => {
		const title = `cranes ${randomUUID()}`;
		const client = await follow(ada, 'status');
		await client.next('message');
		const id = await addProposal(title);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(1));
		await query(`update public.proposals set title = $2 where id = $1`, [id, `${title}!`]);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(2));
		await query(`update public.proposals set status = 'dismissed' where id = $1`, [id]);
		await eventually(() => expect(ofFile(client, id)).toHaveLength(3));
		const body = { proposalId: id, confidence: 0.5, createdAt: expect.any(String) };
		expect(ofFile(client, id)).toEqual([
			{ type: 'new_proposal', ...body, title },
			{ type: 'proposal_update', ...body, title: `${title}!` },
			{ type: 'proposal_deleted', proposalId: id }
		]);
	});

	it('begins with everything as it is, and continues from its last id with what changed', async () => {
		const title = `locks ${randomUUID()}`;
		const proposal = await addProposal(title);
		const [first, second] = [await addFile('first.txt'), await addFile('second.txt')];
		let client = await follow(ada, 'status');
		await eventually(() => expect(client.lastEventId).toBeDefined());
		for (const id of [first, second, proposal]) expect(ofFile(client, id).length).toBeGreaterThan(0);
		const { lastEventId } = client;
		client.close();
		await query(`update public.files set status = 'failed', error_message = 'Broken.' where id = $1`, [
			second
		]);
		client = await follow(ada, 'status', `&cursor=${lastEventId}`);
		await eventually(() => expect(ofFile(client, second)).toHaveLength(2));
		expect(ofFile(client, second)[0]).toMatchObject({ status: 'failed' });
		expect(ofFile(client, second)[1]).toMatchObject({ progress: { stage: 'failed', message: 'Broken.' } });
		expect(ofFile(client, first)).toEqual([]);
		expect(client.named('reset')).toEqual([]);
	});
});

describe('a project that is deleted', () => {
	it('ends every stream of it, and its files are in the owner’s own', async () => {
		await join();
		const file = await addFile('back.txt');
		const [hers, his, own] = [await follow(ada, 'status'), await follow(bob, 'web'), await live.connect(ada)];
		open.push(own);
		await own.next('snapshot');
		await projects.remove(ada.userId, projectId);
		await isBye(hers, 'removed');
		await isBye(his, 'removed');
		await eventually(() =>
			expect(own.named('file-update').map(({ data }) => (data.file as { id: string }).id)).toContain(file)
		);
	});
});
