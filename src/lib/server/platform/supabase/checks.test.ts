import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../../tests/support/database.ts';
import {
	type ProjectDouble,
	startProjectDouble
} from '../../../../../tests/support/supabase-project-double.ts';
import { supabaseChecks } from './checks.ts';

const direct = 'postgres://postgres:secret@db.abcdef.supabase.co:5432/postgres';
let project: ProjectDouble;
beforeEach(async () => void (project = await startProjectDouble()));
afterEach(() => project.stop());

async function check(
	changes: Partial<{ databaseUrl: string; url: string; secretKey: string; publishableKey: string }> = {}
) {
	const { databaseUrl = direct, ...ofProject } = changes;
	return supabaseChecks({ databaseUrl, maxFileBytes: 1e9, supabase: { ...project.supabase, ...ofProject } });
}
const failing = (findings: { name: string; ok: boolean }[]) =>
	findings.filter(({ ok }) => !ok).map(({ name }) => name);

describe('a Supabase project, seen from outside,', () => {
	test('is well when nothing is wrong, and then there is nothing to do', async () => {
		const findings = await check();
		expect(failing(findings)).toEqual([]);
		expect(findings.map(({ name }) => name)).toEqual([
			'project',
			'publishable key',
			'secret key',
			'Google',
			'addresses',
			'bucket',
			'clock',
			'pooler mode',
			'same project'
		]);
		expect(findings.every(({ say, todo }) => say !== '' && todo === '')).toBe(true);
	});

	const wrong: [string, string[], () => Parameters<typeof check>[0] | void][] = [
		['addresses are not confirmed', ['addresses'], () => void (project.autoconfirms = true)],
		['Google is off', ['Google'], () => void (project.hasGoogle = false)],
		['the bucket is missing', ['secret key', 'bucket'], () => void (project.buckets = [])],
		[
			'the bucket is public',
			['bucket'],
			() => void Object.assign(project.buckets[0] ?? {}, { public: true })
		],
		[
			'the bucket is too small',
			['bucket'],
			() => void Object.assign(project.buckets[0] ?? {}, { file_size_limit: 5e7 })
		],
		['the clock is wrong', ['clock'], () => void (project.clock = () => new Date(Date.now() - 300_000))],
		[
			'the publishable key is wrong',
			['publishable key', 'Google', 'addresses'],
			() => ({ publishableKey: 'sb_publishable_y' })
		],
		['the secret key is wrong', ['secret key', 'bucket'], () => ({ secretKey: 'sb_secret_y' })],
		['the keys were confused', ['secret key', 'bucket'], () => ({ secretKey: 'sb_publishable_x' })],
		[
			'the project is paused',
			['project', 'publishable key', 'secret key', 'Google', 'addresses', 'bucket'],
			() => void (project.isPaused = true)
		],
		[
			'DATABASE_URL is the transaction pooler',
			['pooler mode'],
			() => ({ databaseUrl: direct.replace('5432', '6543') })
		]
	];
	for (const [what, names, change] of wrong) {
		test(`${what}: it says so, and what to do`, async () => {
			const findings = await check(change() ?? {});
			expect(failing(findings)).toEqual(names);
			expect(findings.filter(({ ok }) => !ok).every(({ todo }) => todo !== '')).toBe(true);
		});
	}

	test('that cannot be reached is a finding, not a crash', async () => {
		await project.stop();
		expect(failing(await check())).toContain('project');
		project = await startProjectDouble();
	});

	test('is another one than that of the database', async () => {
		const databaseUrl =
			'postgres://postgres.other:secret@aws-0-eu-central-1.pooler.supabase.com:5432/postgres';
		const elsewhere = await check({ url: 'https://abcdef.supabase.co', databaseUrl });
		expect(failing(elsewhere)).toContain('same project');
		const same = await check({
			url: 'https://abcdef.supabase.co',
			databaseUrl: databaseUrl.replace('other', 'abcdef')
		});
		expect(failing(same)).not.toContain('same project');
	});

	test('says no secret', async () => {
		const said = JSON.stringify(
			await check({ databaseUrl: direct.replace('5432', '6543'), secretKey: 'sb_secret_y' })
		);
		expect(said).not.toMatch(/sb_secret_y|:secret@/);
	});
});

describe('its database', () => {
	let platform: TestPlatform;
	beforeAll(async () => void (platform = await openTestPlatform()));
	afterAll(() => platform.close());
	const ofDatabase = async () =>
		(
			await supabaseChecks({ databaseUrl: direct, maxFileBytes: 1, supabase: project.supabase }, platform.db)
		).slice(9);

	test('is migrated, guarded and heard; this one is no Supabase, and that is said', async () => {
		const findings = await ofDatabase();
		expect(findings.map(({ name, ok }) => [name, ok])).toEqual([
			['database', false],
			['migrations', true],
			['policies', true],
			['publication', true],
			['notifications', true]
		]);
	});

	test('lacks a policy, a publication and a migration: each is named', async () => {
		await platform.db.query(`
			drop policy files_are_the_servers on storage.objects;
			alter publication supabase_realtime drop table public.files;
			delete from asura.migrations where name like '%_storage.sql';`);
		expect(failing(await ofDatabase())).toEqual(['database', 'migrations', 'policies', 'publication']);
	});
});
