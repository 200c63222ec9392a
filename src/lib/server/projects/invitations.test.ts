import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { deleteFile, insertFile } from '../../../../tests/support/file-rows.ts';
import { silentLog } from '../log.ts';
import { createBell } from '../files/bell.ts';
import { createProjects, type Projects } from './projects.ts';

let platform: TestPlatform;
let projects: Projects;

beforeAll(async () => {
	platform = await openTestPlatform();
	const { db } = platform;
	projects = createProjects({
		db,
		bell: createBell({ db, log: silentLog }),
		quotaBytes: 1e9,
		leave: () => undefined
	});
});
afterAll(() => platform.close());

async function newPerson() {
	const email = `${randomUUID()}@example.org`;
	return { email, userId: await platform.addUser(email) };
}

describe('an invitation', () => {
	it('is worth nothing when its days are over, for anybody', async () => {
		const [ada, bob] = [await newPerson(), await newPerson()];
		const project = await projects.add(ada.userId, 'Late');
		const { id } = await projects.invitations.add(ada.userId, project.id, bob.email, 'viewer');
		await platform.db.query('update asura.project_invitations set expires_at = now() where id = $1', [id]);
		await expect(projects.invitations.accept(bob, id)).rejects.toMatchObject({
			code: 'invitation.not_found'
		});
		expect(await projects.invitations.listFor(bob)).toEqual([]);
		expect(await projects.invitations.list(ada.userId, project.id)).toEqual([]);
	});

	it('is used by one of two who take it at once', async () => {
		const [ada, bob] = [await newPerson(), await newPerson()];
		const project = await projects.add(ada.userId, 'Race');
		const { id } = await projects.invitations.add(ada.userId, project.id, bob.email, 'viewer');
		const taken = await Promise.allSettled([1, 2, 3].map(() => projects.invitations.accept(bob, id)));
		expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
	});

	it('lets nobody into a project that is full, and is not used up by that', async () => {
		const [ada, bob] = [await newPerson(), await newPerson()];
		const project = await projects.add(ada.userId, 'Full');
		const { id } = await projects.invitations.add(ada.userId, project.id, bob.email, 'viewer');
		await platform.db.query(
			`with people as (
				insert into auth.users (email) select gen_random_uuid() || '@example.org' from generate_series(1, 99) returning id
			)
			insert into public.project_members (project_id, user_id, role) select $1, id, 'viewer' from people`,
			[project.id]
		);
		await expect(projects.invitations.accept(bob, id)).rejects.toMatchObject({
			code: 'project.too_many_members'
		});
		expect(await projects.invitations.listFor(bob)).toHaveLength(1);
	});
});

describe('an offer to own a project', () => {
	async function offeredToTwo() {
		const people = [await newPerson(), await newPerson(), await newPerson()] as const;
		const [ada, ...members] = people;
		const project = await projects.add(ada.userId, 'Offered');
		const offers: string[] = [];
		for (const { userId, email } of members) {
			const { id } = await projects.invitations.add(ada.userId, project.id, email, 'viewer');
			await projects.invitations.accept({ userId, email }, id);
			offers.push((await projects.invitations.add(ada.userId, project.id, email, 'owner')).id);
		}
		return { people, project, offers };
	}

	it('ends with the ownership of whoever made it', async () => {
		const { people, project, offers } = await offeredToTwo();
		const [, bob, eve] = people;
		await projects.invitations.accept(bob, offers[0] ?? '');
		await expect(projects.invitations.accept(eve, offers[1] ?? '')).rejects.toMatchObject({
			code: 'invitation.not_found'
		});
		expect(await projects.get(bob.userId, project.id)).toMatchObject({ role: 'owner' });
	});

	it('passes on what is known of deleted files, which goes with an account', async () => {
		const { people, project, offers } = await offeredToTwo();
		const [ada, bob] = people;
		const file = await insertFile(platform.db, ada.userId);
		await platform.db.query('update public.files set project_id = $2 where id = $1', [file, project.id]);
		await deleteFile(platform.db, file);
		await projects.invitations.accept(bob, offers[0] ?? '');
		const { rows } = await platform.db.query('select user_id::text from asura.deleted_files where id = $1', [
			file
		]);
		expect(rows).toEqual([{ user_id: bob.userId }]);
	});

	it('leaves nothing to be deleted by whoever gave it away in the same moment', async () => {
		const { people, project, offers } = await offeredToTwo();
		const [ada, bob] = people;
		const [removed, taken] = await Promise.allSettled([
			projects.remove(ada.userId, project.id),
			projects.invitations.accept(bob, offers[0] ?? '')
		]);
		expect([removed.status, taken.status]).toContain('rejected');
	});
});

describe('projects', () => {
	it('are bounded in number for each person', async () => {
		const ada = await newPerson();
		await platform.db.query(
			`insert into public.projects (owner_id, name) select $1::uuid, 'p' || n from generate_series(1, 99) n`,
			[ada.userId]
		);
		await projects.add(ada.userId, 'The hundredth');
		await expect(projects.add(ada.userId, 'One more')).rejects.toMatchObject({ code: 'project.too_many' });
	});
});
