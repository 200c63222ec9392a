// Against a real Supabase project, which must be made for this: SUPABASE_LIVE=1 with SUPABASE_URL, both keys and
// DATABASE_URL set. What other tests show of doubles is shown here of the thing itself, but for Google's own page.
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '#lib/server/config.ts';
import { silentLog } from '#lib/server/log.ts';
import { migrate } from '#lib/server/platform/migrate.ts';
import { createSupabaseBlobs } from '#lib/server/platform/supabase/blobs.ts';
import { supabaseChecks } from '#lib/server/platform/supabase/checks.ts';
import { createSupabaseIdentity } from '#lib/server/platform/supabase/identity.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { createSupabaseRealtime } from '#lib/server/platform/supabase/realtime.ts';
import { createScratch } from '#lib/server/scratch.ts';
import { blobsContract } from '../contract/blobs.ts';
import { eventually } from '../support/eventually.ts';

const { supabase, databaseUrl, maxFileBytes } = readConfig(
	process.env.SUPABASE_LIVE === '1' ? process.env : {}
);

if (!supabase || !databaseUrl) {
	test('Supabase itself', ({ skip }) => {
		skip('needs SUPABASE_LIVE=1 and a project for tests only: SUPABASE_URL, its two keys and DATABASE_URL');
	});
} else {
	const blobs = createSupabaseBlobs({ supabase, scratch: createScratch(tmpdir()), log: silentLog });
	const keys = () => Array.fromAsync(blobs.list(''), ({ key }) => key);
	let db: PgDb;
	beforeAll(async () => {
		db = new PgDb({ url: databaseUrl, log: silentLog });
		await migrate(db);
		if ((await keys()).length > 0)
			throw new Error('the bucket holds files: take a project that is for tests only');
	});
	afterAll(async () => {
		await blobs.remove(await keys());
		await db.close();
	});

	blobsContract('Supabase Storage', async () => {
		await blobs.remove(await keys());
		return blobs;
	});

	describe('a Supabase project', () => {
		test('is set up as the doctor wants it', async () => {
			const findings = await supabaseChecks({ supabase, databaseUrl, maxFileBytes }, db);
			expect(findings.filter(({ ok }) => !ok)).toEqual([]);
		});

		test('sends the browser to Google', async () => {
			const redirectUri = new URL('http://127.0.0.1:3000/auth/callback');
			const { url } = await createSupabaseIdentity(supabase).begin({ redirectUri, returnTo: '/' });
			const answer = await fetch(url, { redirect: 'manual' });
			expect(new URL(answer.headers.get('location') ?? '').hostname).toBe('accounts.google.com');
		});

		test('rings when a row of a file changes', async () => {
			const user = randomUUID();
			const rings: unknown[] = [];
			await db.query('insert into auth.users (id, email) values ($1, $2)', [user, `${user}@example.org`]);
			const stop = await createSupabaseRealtime({ supabase, log: silentLog }).subscribe((id) =>
				rings.push(id)
			);
			try {
				await eventually(() => expect(rings).toEqual([undefined]), { timeoutMs: 20_000 });
				await db.query(
					`insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256)
					values ($1, gen_random_uuid(), 'a.txt', 'text/plain', 1, repeat('0', 64))`,
					[user]
				);
				await eventually(() => expect(rings).toContain(user), { timeoutMs: 20_000 });
			} finally {
				await stop();
				await db.query('delete from auth.users where id = $1', [user]);
			}
		});
	});
}
