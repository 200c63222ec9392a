// What every Db does, whichever database is behind it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Db } from '#lib/server/platform/platform.ts';
import { eventually } from '../support/eventually.ts';

export type DbUnderTest = {
	/** With the whole schema; transactions are given up after `idleTransactionMs` of silence. */
	open(options: { idleTransactionMs: number }): Promise<Db>;
};

const ada = '00000000-0000-4000-8000-00000000000a';
const bob = '00000000-0000-4000-8000-00000000000b';

export function dbContract(name: string, { open }: DbUnderTest): void {
	describe(`${name} is a Db`, () => {
		let db: Db;
		beforeAll(async () => {
			db = await open({ idleTransactionMs: 300 });
			await db.query(
				`insert into auth.users (id, email) values ($1, 'ada@example.org'), ($2, 'bob@example.org')`,
				[ada, bob]
			);
			await db.query(
				'create schema contract; create table contract.counters (name text primary key, n integer not null check (n >= 0))'
			);
		});
		beforeEach(async () => {
			await db.query(`delete from contract.counters`);
			await db.query(`insert into contract.counters values ('a', 0)`);
		});
		afterAll(() => db.close());

		const count = async () => {
			const { rows } = await db.query<{ n: number }>(`select n from contract.counters where name = 'a'`);
			return rows[0]?.n;
		};

		describe('a statement', () => {
			test('gives rows and their number, with the same JavaScript values everywhere', async () => {
				const { rows, rowCount } = await db.query(
					`select 1 as int4, 2::bigint as int8, 1.5::float8 as float8, '4'::xid8 as xid8, true as bool, null as nothing,
						'{"a":[1]}'::jsonb as json, timestamptz '2026-01-02 03:04:05.678Z' as at, '{a,b}'::text[] as list`
				);
				expect(rows).toEqual([
					{
						int4: 1,
						int8: '2',
						float8: 1.5,
						xid8: '4',
						bool: true,
						nothing: null,
						json: { a: [1] },
						at: new Date('2026-01-02T03:04:05.678Z'),
						list: ['a', 'b']
					}
				]);
				expect(rowCount).toBe(1);
			});

			test('takes parameters: text, numbers, JSON as text, dates, lists of text, bytes and null', async () => {
				const at = new Date('2026-01-02T03:04:05.678Z');
				const bytes = new Uint8Array([0, 1, 255]);
				const { rows } = await db.query(
					`select $1::text as text, $2::integer + 1 as number, $3::jsonb as json, $4::timestamptz as at,
						$5::text[]::integer[] as list, length($6::bytea) as bytes, $7::text as nothing`,
					["it's", 41, JSON.stringify(['x']), at, ['1', '2'], bytes, null]
				);
				expect(rows).toEqual([
					{ text: "it's", number: 42, json: ['x'], at, list: [1, 2], bytes: 3, nothing: null }
				]);
			});

			test('says how many rows it changed', async () => {
				await db.query(`insert into contract.counters values ('b', 0), ('c', 0)`);
				expect((await db.query(`update contract.counters set n = 1 where name <> $1`, ['a'])).rowCount).toBe(
					2
				);
				expect((await db.query(`delete from contract.counters`)).rowCount).toBe(3);
			});

			test('may be a script; the rows of all its statements come back', async () => {
				const script = `update contract.counters set n = 5 returning n; select 6 as n; update contract.counters set n = 7`;
				expect((await db.query(script)).rows).toEqual([{ n: 5 }, { n: 6 }]);
				expect(await count()).toBe(7);
			});

			test('that is refused says why, with the code and the constraint', async () => {
				await expect(db.query(`insert into contract.counters values ($1, 1)`, ['a'])).rejects.toMatchObject({
					code: '23505',
					constraint: 'counters_pkey',
					table: 'counters'
				});
				const refused = db.query('selec 1');
				await expect(refused).rejects.toMatchObject({
					code: '42601',
					message: expect.stringContaining('selec')
				});
			});

			test('that is refused does not disturb the next one', async () => {
				await expect(db.query(`update contract.counters set n = -1`)).rejects.toMatchObject({
					code: '23514'
				});
				expect(await count()).toBe(0);
			});

			test('that fails in the middle of a script of its own transaction leaves nothing', async () => {
				const script = `begin; update contract.counters set n = 9; select 1 / 0; commit`;
				await expect(db.query(script)).rejects.toMatchObject({ code: '22012' });
				expect(await count()).toBe(0);
				await db.query(`update contract.counters set n = 3`);
				expect(await count()).toBe(3);
			});
		});

		describe('a transaction', () => {
			test('is kept when it returns', async () => {
				const result = await db.tx(async (tx) => {
					await tx.query(`update contract.counters set n = 1`);
					return 'done';
				});
				expect(result).toBe('done');
				expect(await count()).toBe(1);
			});

			test('is undone when it throws, and the error is the one that was thrown', async () => {
				const reason = new Error('changed my mind');
				const undone = db.tx(async (tx) => {
					await tx.query(`update contract.counters set n = 1`);
					throw reason;
				});
				await expect(undone).rejects.toBe(reason);
				expect(await count()).toBe(0);
			});

			test('is not reported as kept when a failure in it was ignored', async () => {
				const ignored = db.tx(async (tx) => {
					await tx.query(`update contract.counters set n = 1`);
					await tx.query('select 1 / 0').catch(() => undefined);
				});
				await expect(ignored).rejects.toThrow(/statement in it had failed/);
				expect(await count()).toBe(0);
			});

			test('that cannot be kept, because of a check at its end, says why', async () => {
				await db.query('create table contract.late (n integer unique deferrable initially deferred)');
				const late = db.tx((tx) => tx.query('insert into contract.late values (1), (1)'));
				await expect(late).rejects.toMatchObject({ code: '23505', table: 'late' });
				expect((await db.query('select from contract.late')).rowCount).toBe(0);
			});

			test('cannot be used after its end', async () => {
				const handle = await db.tx(async (tx) => tx);
				await expect(handle.query('select 1')).rejects.toThrow(/already ended/);
			});

			test('loses no update when many run at the same time', async () => {
				const add = () =>
					db.tx(async (tx) => {
						const { rows } = await tx.query<{ n: number }>(`select n from contract.counters for update`);
						await tx.query(`update contract.counters set n = $1`, [(rows[0]?.n ?? 0) + 1]);
					});
				await Promise.all(Array.from({ length: 30 }, add));
				expect(await count()).toBe(30);
			});

			test('refuses at once to wait for itself: query, transaction, listen and notify of the database inside', async () => {
				for (const ask of [
					() => db.query('select 1'),
					() => db.tx(async () => undefined),
					() => db.listen('bell', () => undefined),
					() => db.notify('bell', '')
				]) {
					await expect(db.tx(async () => void (await ask()))).rejects.toThrow(/use its own handle/);
				}
				expect(await count()).toBe(0);
			});

			test('lets work that was started in it, and goes on after it, use the database', async () => {
				const ended = Promise.withResolvers<void>();
				let later: Promise<number | undefined> | undefined;
				await db.tx(async () => {
					later = ended.promise.then(count);
				});
				ended.resolve();
				expect(await later).toBe(0);
			});

			test('of which nothing is heard is given up: it is undone, fails, and keeps nobody waiting', async () => {
				const never = Promise.withResolvers<void>();
				const stuck = db.tx(async (tx) => {
					await tx.query(`update contract.counters set n = 1`);
					await never.promise;
				});
				const refused = expect(stuck).rejects.toThrow(/nothing was heard/);
				await db.query(`update contract.counters set n = n + 10`);
				expect(await count()).toBe(10);
				await refused;
				never.resolve();
			});

			test('that was given up refuses its handle', async () => {
				const wake = Promise.withResolvers<void>();
				let late: Promise<unknown> | undefined;
				const stuck = db.tx(async (tx) => {
					await tx.query('select 1');
					late = wake.promise.then(() => tx.query('select 1'));
					await late;
				});
				await expect(stuck).rejects.toThrow(/nothing was heard/);
				wake.resolve();
				await expect(late).rejects.toThrow(/already ended/);
			});
		});

		describe('a transaction as a user', () => {
			const addFile = (userId: string) =>
				db.query(
					`insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256)
					 values ($1, gen_random_uuid(), 'a.txt', 'text/plain', 1, repeat('0', 64))`,
					[userId]
				);

			test('sees what is theirs only, without asking for it', async () => {
				await addFile(ada);
				await addFile(bob);
				const seen = await db.tx((tx) => tx.query(`select distinct user_id::text from public.files`), {
					as: { userId: ada }
				});
				expect(seen.rows).toEqual([{ user_id: ada }]);
			});

			test('cannot write', async () => {
				const write = db.tx((tx) => tx.query(`delete from public.files`), { as: { userId: ada } });
				await expect(write).rejects.toMatchObject({ code: '42501' });
			});

			test('leaves nothing of the user behind, neither when kept nor when undone', async () => {
				const who = `select current_user::text as role, auth.uid()::text as uid`;
				const inside = await db.tx((tx) => tx.query(who), { as: { userId: ada } });
				expect(inside.rows).toEqual([{ role: 'authenticated', uid: ada }]);
				await expect(db.tx((tx) => tx.query('select 1 / 0'), { as: { userId: ada } })).rejects.toThrow();
				for (let i = 0; i < 5; i++) expect((await db.query(who)).rows).not.toMatchObject([{ uid: ada }]);
				const { rows } = await db.query<{ role: string }>(who);
				expect(rows[0]?.role).not.toBe('authenticated');
			});

			test('refuses anything that is not a user id', async () => {
				const injected = db.tx(async () => undefined, {
					as: { userId: `${ada}"}'; drop table public.files; --` }
				});
				await expect(injected).rejects.toThrow(/Not a user id/);
			});
		});

		describe('notifications', () => {
			test('reach every listener of their channel and nobody else', async () => {
				const heard: string[] = [];
				const stops = [
					await db.listen('bell', (payload) => heard.push(`1 ${payload}`)),
					await db.listen('bell', (payload) => heard.push(`2 ${payload}`)),
					await db.listen('Other "Bell"', (payload) => heard.push(`other ${payload}`))
				];
				await db.notify('bell', 'x');
				await db.notify('Other "Bell"', 'y');
				await eventually(() => expect(heard.toSorted()).toEqual(['1 x', '2 x', 'other y']));
				for (const stop of stops) await stop();
			});

			test('stop when they are stopped, one listener at a time', async () => {
				const first: string[] = [];
				const second: string[] = [];
				const stopFirst = await db.listen('bell', (payload) => first.push(payload));
				const stopSecond = await db.listen('bell', (payload) => second.push(payload));
				await stopFirst();
				await db.notify('bell', 'x');
				await eventually(() => expect(second).toEqual(['x']));
				await stopSecond();
				await db.notify('bell', 'y');
				const stopThird = await db.listen('bell', (payload) => second.push(payload));
				await db.notify('bell', 'z');
				await eventually(() => expect(second).toEqual(['x', 'z']));
				expect(first).toEqual([]);
				await stopThird();
			});
		});

		test('answers nothing once it is closed', async () => {
			const other = await open({ idleTransactionMs: 300 });
			await other.close();
			await expect(other.query('select 1')).rejects.toThrow(/closed/);
			await expect(other.tx(async () => undefined)).rejects.toThrow(/closed/);
		});
	});
}
