// What waits for a project that is being handed over, where transactions really run beside each other.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlatformOfTests } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { findPostgres, startPostgres } from '../../../../tests/support/postgres.ts';
import { openPostgresPlatform } from '../../../../tests/support/postgres-platform.ts';
import { createBell } from '../files/bell.ts';
import { silentLog } from '../log.ts';
import { lockProject } from './access.ts';
import { createProjects } from './projects.ts';
import { lockBothOwners, takeOver } from './take-over.ts';

const postgres = await findPostgres();
const reason = 'reason' in postgres ? ` (skipped: ${postgres.reason})` : '';

describe.skipIf(reason !== '')(`on Postgres${reason}`, () => {
	let server: Awaited<ReturnType<typeof startPostgres>>;
	let platform: PlatformOfTests;

	beforeAll(async () => {
		server = await startPostgres('bin' in postgres ? postgres.bin : '');
		platform = await openPostgresPlatform(server.url);
	});
	afterAll(async () => {
		await platform.close();
		await server.close();
	});

	it('whoever gives a project away decides nothing in it any more, from that moment on', async () => {
		const { db } = platform;
		const bell = createBell({ db, log: silentLog });
		const projects = createProjects({ db, bell, quotaBytes: 1e9, leave: () => undefined });
		const [ada, bob] = [await platform.addUser('ada@example.org'), await platform.addUser('bob@example.org')];
		const { id: projectId } = await projects.add(ada, 'Handed over');
		const invited = await projects.invitations.add(ada, projectId, 'bob@example.org', 'editor');
		await projects.invitations.accept({ userId: bob, email: 'bob@example.org' }, invited.id);

		const [written, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const handOver = db.tx(async (tx) => {
			const from = await lockBothOwners(tx, projectId, bob);
			await lockProject(tx, projectId);
			await takeOver(tx, { projectId, from, to: bob, quotaBytes: 1e9 });
			written.resolve();
			await mayEnd.promise;
		});
		await written.promise;
		const late = Promise.allSettled([
			projects.members.setRole(ada, projectId, bob, 'viewer'),
			projects.members.remove(ada, projectId, bob),
			projects.invitations.add(ada, projectId, 'bob@example.org', 'owner'),
			projects.remove(ada, projectId)
		]);
		await eventually(async () => expect(await countWaiting()).toBe(4)).finally(mayEnd.resolve);
		await handOver;
		const codes = (await late).map((one) => one.status === 'rejected' && one.reason.code);
		expect(codes).toEqual(Array(4).fill('project.forbidden'));
		const members = await projects.members.list(bob, projectId);
		expect(members.map(({ user_id, role }) => [user_id, role])).toEqual([
			[bob, 'owner'],
			[ada, 'editor']
		]);
	});

	async function countWaiting(): Promise<number | undefined> {
		const { rows } = await platform.db.query<{ count: number }>(
			`select count(*)::int as count from pg_stat_activity
			 where datname = current_database() and wait_event_type = 'Lock'`
		);
		return rows[0]?.count;
	}
});
