import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../../tests/support/database.ts';
import { eventually } from '../../../../../tests/support/eventually.ts';
import { harbour, orchard } from '../../../../../tests/support/topic-texts.ts';
import type { Namer } from '../../embedder/chat.ts';
import { silentLog } from '../../log.ts';
import { createProjects, type Projects } from '../projects.ts';
import { createTopics } from './topics.ts';

describe('proposals', () => {
	let platform: TestPlatform;
	let projects: Projects;
	let stop: (() => Promise<void>)[] = [];
	const bell = { ring: () => undefined };

	beforeAll(async () => {
		platform = await openTestPlatform();
		projects = createProjects({ db: platform.db, bell, quotaBytes: 1e9, leave: () => undefined });
	});
	afterAll(async () => {
		await Promise.all(stop.map((end) => end()));
		await platform.close();
	});

	function start(namer?: Namer) {
		const { db, capabilities } = platform;
		const topics = createTopics({ db, capabilities, model: 'm', bell, namer, log: silentLog });
		topics.start();
		stop = [...stop, topics.stop];
		return topics;
	}

	async function newProject() {
		const userId = await platform.addUser();
		const { id } = await projects.add(userId, 'Topics');
		const titles = async (status?: string) =>
			(await projects.proposals.list(userId, id))
				.filter((one) => status === undefined || one.status === status)
				.map(({ title }) => title);
		return { userId, id, titles };
	}

	async function addFile(
		{ userId, id }: { userId: string; id: string },
		texts: readonly string[]
	): Promise<string> {
		const file = randomUUID();
		const { db } = platform;
		await db.query(
			`insert into public.files (id, user_id, project_id, blob_id, filename, file_type, size_bytes, sha256)
			 values ($1, $2, $3, gen_random_uuid(), 'a.txt', 'text/plain', 1, repeat('0', 64))`,
			[file, userId, id]
		);
		for (const [i, text] of texts.entries())
			await db.query(
				'insert into public.chunks (file_id, ordinal, user_id, text, hash) values ($1, $2, $3, $4, $5)',
				[file, i, userId, text, randomUUID()]
			);
		await db.query(`update public.files set status = 'completed', progress = 100 where id = $1`, [file]);
		return file;
	}

	const settled = (project: { id: string }) =>
		eventually(
			async () => {
				const { rowCount } = await platform.db.query('select from asura.topic_turns where project_id = $1', [
					project.id
				]);
				expect(rowCount).toBe(0);
			},
			{ timeoutMs: 15_000 }
		);

	it('come and go with the files, and what members decided stays', { timeout: 60_000 }, async () => {
		const topics = start();
		const project = await newProject();
		const { userId, id, titles } = project;
		await platform.db.query(
			`insert into public.webhooks (user_id, url, events, secret)
			 values ($1, 'https://example.org/', array['proposal.created'], 'whsec_x')`,
			[userId]
		);
		await addFile(project, harbour);
		await settled(project);
		const [wall] = (await projects.proposals.list(userId, id)).filter(({ title }) => title === 'Quay wall');
		expect(wall).toMatchObject({ status: 'open', file_count: 1 });
		expect(wall?.passages[0]?.passage).toContain('quay wall');
		const announced = await platform.db.query<{ data: unknown }>(
			`select body -> 'data' as data from asura.webhook_deliveries`
		);
		const { confidence } = wall ?? {};
		expect(announced.rows.map(({ data }) => data)).toContainEqual({
			id: wall?.id,
			project_id: id,
			title: 'Quay wall',
			confidence
		});
		await projects.proposals.change(userId, id, wall?.id ?? '', { status: 'accepted', title: 'Walls' });

		const fruit = await addFile(project, orchard);
		await settled(project);
		const open = await projects.proposals.list(userId, id);
		expect(open.find((one) => one.id === wall?.id)).toMatchObject({ title: 'Walls', status: 'accepted' });
		const frost = open.find(({ title }) => /frost|apple/i.test(title));
		await projects.proposals.change(userId, id, frost?.id ?? '', { status: 'dismissed' });

		await addFile(project, ['Another quay wall, in the south.', 'Nobody needs this quay wall.']);
		await settled(project);
		const now = await projects.proposals.list(userId, id);
		expect(now.find((one) => one.id === wall?.id)).toMatchObject({ title: 'Walls', file_count: 2 });
		expect(now.find((one) => one.id === frost?.id)?.status).toBe('dismissed');
		expect(await titles('open')).not.toContain(frost?.title);

		await platform.db.query('delete from public.files where id = $1', [fruit]);
		await settled(project);
		expect((await titles('open')).filter((title) => /frost|apple/i.test(title))).toEqual([]);
		expect(await titles('accepted')).toEqual(['Walls']);
		await topics.stop();
	});

	it('are named by a chat model, and by their own words when it fails', { timeout: 60_000 }, async () => {
		const asked: string[] = [];
		const topics = start(async ({ title, passages }) => {
			asked.push(`${title}: ${passages.length}`);
			return asked.length === 1 ? 'Repairs of the quay' : undefined;
		});
		const project = await newProject();
		await addFile(project, [...harbour, ...orchard]);
		await settled(project);
		const titles = await project.titles();
		expect(titles).toContain('Repairs of the quay');
		expect(titles.length).toBeGreaterThan(1);
		expect(asked).toHaveLength(2);
		await topics.stop();
	});

	it('have names that differ, once they are tags', async () => {
		const { userId, id } = await newProject();
		const { rows } = await platform.db.query<{ id: string }>(
			`insert into public.proposals (project_id, key, title, confidence)
			 values ($1, 'a', 'One', 0.5), ($1, 'b', 'Two', 0.5) returning id::text`,
			[id]
		);
		const [one = '', two = ''] = rows.map((row) => row.id);
		await projects.proposals.change(userId, id, one, { status: 'accepted' });
		const taken = projects.proposals.change(userId, id, two, { status: 'accepted', title: 'ONE' });
		await expect(taken).rejects.toMatchObject({ code: 'proposal.title_taken' });
		await expect(
			projects.proposals.change(userId, id, randomUUID(), { status: 'open' })
		).rejects.toMatchObject({
			code: 'proposal.not_found'
		});
	});
});
