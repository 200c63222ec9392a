// Two processes for the web and two for the work on one real Postgres: what holds while they come, go and die.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { type Fleet, type Member, startFleet } from '../support/fleet.ts';
import { makePdf, mulberry32, pageText } from '../support/make-files.ts';
import { findPostgres } from '../support/postgres.ts';
import { type ProviderDouble, startProviderDouble } from '../support/provider.ts';

const found = await findPostgres();
const why = 'reason' in found ? ` (skipped: ${found.reason})` : '';
const random = mulberry32(2026);
const slow = { timeout: 120_000 };

describe.skipIf('reason' in found)(`several processes on one Postgres${why}`, slow, () => {
	let fleet: Fleet;
	let provider: ProviderDouble;
	let ada: Awaited<ReturnType<Fleet['enter']>>;

	beforeAll(async () => {
		provider = await startProviderDouble({ latencyMs: 150 });
		const env = { OPENAI_BASE_URL: provider.url };
		// All at once, on a database with nothing in it.
		fleet = await startFleet('bin' in found ? found.bin : '', ['web', 'web', 'worker', 'worker'], env);
		await fleet.db.query(countEndsSql);
		ada = await fleet.enter();
	}, 60_000);
	afterAll(async () => {
		await fleet?.close();
		await provider?.close();
	});

	const [web, worker] = [0, 2];
	const member = (at: number): Member => {
		const one = fleet.members[at];
		if (!one) throw new Error(`there is no member ${at}`);
		return one;
	};

	it('that start at once on an empty database bring it up to date once', async () => {
		const applied = [...fleet.output().matchAll(/"applied":\[([^\]]*)\]/g)].flatMap(([, names]) =>
			(names ?? '').split(',')
		);
		expect(applied).toContain('"20261120000001_core.sql"');
		expect(new Set(applied).size).toBe(applied.length);
	});

	it('have one among them with the duties of one, and another when that one is killed', async () => {
		const leaders = async () => (await fleet.db.query<{ pid: number }>(leaderSql)).rows.map(({ pid }) => pid);
		await eventually(async () => expect(await leaders()).toHaveLength(1));
		const [before] = await leaders();
		const leading = fleet.members.findIndex((one) => one.output().includes('duties of one'));
		await member(leading).crash();
		await eventually(
			async () => {
				const after = await leaders();
				expect(after).toHaveLength(1);
				expect(after).not.toEqual([before]);
			},
			{ timeoutMs: 15_000 }
		);
	});

	it('do what their role says, and nothing else', async () => {
		const { url } = member(worker).server;
		const status = async (path: string) => (await fetch(url + path)).status;
		expect([await status('/healthz'), await status('/readyz'), await status('/metrics')]).toEqual([
			200, 200, 200
		]);
		expect([await status('/'), await status('/api/files'), await status('/sign-in')]).toEqual([
			404, 404, 404
		]);
		const metrics = await (await fetch(`${member(web).server.url}/metrics`)).text();
		expect(metrics).not.toContain('asura_files_ended_total{');
	});

	it('open a protected file with the password that another process was told, and store it nowhere', async () => {
		const locked = await ada.upload('locked.pdf', makePdf([pageText(3)], { password: 'opensesame' }));
		const is = (expected: Partial<StoredFile>) =>
			eventually(
				async () => expect((await ada.list()).find(({ id }) => id === locked?.id)).toMatchObject(expected),
				{ timeoutMs: 20_000, everyMs: 100 }
			);
		await is({ status: 'failed', error_code: 'pdf.encrypted' });
		const body = JSON.stringify({ password: 'opensesame' });
		const headers = { 'content-type': 'application/json' };
		const { status } = await ada.ask(`/api/files/${locked?.id}/retry`, { method: 'POST', headers, body });
		expect(status).toBe(202);
		const kept = await fleet.db.query('select * from asura.passwords, pgboss.job');
		expect(JSON.stringify(kept.rows)).not.toContain('opensesame');
		await is({ status: 'completed' });
		await eventually(async () =>
			expect((await fleet.db.query('select from asura.passwords')).rowCount).toBe(0)
		);
	});

	it('lose nothing when any of them is killed at any moment', async () => {
		await expectAllEnds('killed', async (isOver) => {
			for (let i = 0; i < 5; i++) await member(Math.floor(random() * 4)).crash();
			isOver();
		});
	});

	it('are replaced one by one without a failure that anybody sees', async () => {
		const codes: (number | null)[] = [];
		const { refused, streams } = await expectAllEnds('replaced', async (isOver) => {
			for (const one of fleet.members) codes.push(await one.replace());
			isOver();
		});
		expect(codes).toEqual([0, 0, 0, 0]);
		expect(refused).toBe(0);
		expect(streams.flatMap(({ byes }) => byes)).toContain('shutdown');
		// Work that was given back cost the file nothing.
		const { rows } = await fleet.db.query(`select retry_count from pgboss.job where retry_count > 0 and
			data ->> 'fileId' in (select id::text from public.files where filename like 'replaced%')`);
		expect(rows).toEqual([]);
	});

	it('go on when the database is restarted under them', async () => {
		await expectAllEnds('restarted', async (isOver) => {
			await new Promise((resolve) => setTimeout(resolve, 500 + random() * 1000));
			await fleet.postgres.stop();
			await fleet.postgres.start();
			isOver();
		});
	});

	/** Somebody uploads and others watch, until what happens meanwhile is over; then all must be well. */
	async function expectAllEnds(name: string, meanwhile: (isOver: () => void) => Promise<void>) {
		const person = await fleet.enter();
		const streams = [person.watch(), person.watch(), person.watch()];
		const accepted: StoredFile[] = [];
		let refused = 0;
		let isGoingOn = true;
		const uploading = (async () => {
			for (let i = 0; isGoingOn || i < 20; i++) {
				const file = await person.upload(
					`${name}-${i}.txt`,
					`${name} ${i}: the ship lies in harbour ${random()}`
				);
				if (file) accepted.push(file);
				else refused++;
				await new Promise((resolve) => setTimeout(resolve, 60));
			}
		})();
		await meanwhile(() => void (isGoingOn = false));
		await uploading;
		expect(accepted.length).toBeGreaterThan(10);
		await eventually(
			async () => {
				const files = new Map((await person.list()).map((file) => [file.id, file]));
				const ends = accepted.map(({ id, filename }) => `${filename} ${files.get(id)?.status}`);
				expect(ends.filter((end) => !end.endsWith('completed'))).toEqual([]);
			},
			{ timeoutMs: 60_000, everyMs: 250 }
		);
		const { rows: twice } = await fleet.db.query('select * from public.test_ends where times > 1');
		expect(twice).toEqual([]);
		await eventually(
			async () => {
				const { rows } = await fleet.db.query<{ id: string; rev: number }>(
					`select f.id::text, f.rev::float8 as rev from public.files f join auth.users u on u.id = f.user_id
					 where f.filename like $1`,
					[`${name}-%`]
				);
				for (const stream of streams) {
					const seen = [...stream.state().byId.values()].map(({ id, rev }) => `${id} ${rev}`);
					expect(seen.toSorted()).toEqual(rows.map(({ id, rev }) => `${id} ${rev}`).toSorted());
				}
			},
			{ timeoutMs: 15_000, everyMs: 100 }
		);
		for (const stream of streams) stream.close();
		return { accepted, refused, streams };
	}
});

const leaderSql = `
	select pid from pg_catalog.pg_locks
	where locktype = 'advisory' and objid = 27182819 and granted`;

/** How often each file came to its end. */
const countEndsSql = `
	create table public.test_ends (file_id uuid primary key, times integer not null);
	create function public.test_count_ends() returns trigger language plpgsql as $$ begin
		insert into public.test_ends as t values (new.id, 1) on conflict (file_id) do update set times = t.times + 1;
		return new;
	end $$;
	create trigger test_count_ends after update on public.files for each row
		when (new.status = 'completed' and old.status <> 'completed') execute function public.test_count_ends()`;
