// What can be wrong with a Supabase set-up, seen from outside: each point is one small question with what to do when
// the answer is no. Nothing is changed, and no secret is said.
import * as v from 'valibot';
import type { Config } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import { readScripts } from '../migrate.ts';
import type { Db } from '../platform.ts';
import { bucket } from './blobs.ts';
import type { Project } from './project-http.ts';

export type Finding = { name: string; ok: boolean; say: string; todo: string };

type Verdict = { ok: boolean; say: string };
type Check = { name: string; todo: string; look(): Promise<Verdict> | Verdict };
type Wanted = Pick<Config, 'databaseUrl' | 'maxFileBytes'> & { supabase: Project };

const answerMs = 10_000;
const notifyMs = 5_000;
/** Tokens are checked against the clock; supabase-js itself complains from here on. */
const maxSkewMs = 60_000;

const Settings = v.object({ external: v.object({ google: v.boolean() }), mailer_autoconfirm: v.boolean() });
const Buckets = v.array(
	v.object({ id: v.string(), public: v.boolean(), file_size_limit: v.nullish(v.number()) })
);

/** Without `db` only what needs no database. */
export async function supabaseChecks(
	config: Wanted,
	db?: Db,
	now: () => number = Date.now
): Promise<Finding[]> {
	const checks = [...ofProject(config, now), ...ofAddress(config), ...(db ? ofDatabase(db) : [])];
	return Promise.all(
		checks.map(async ({ name, todo, look }): Promise<Finding> => {
			const { ok, say } = await verdict(look);
			return { name, ok, say, todo: ok ? '' : todo };
		})
	);
}

async function verdict(look: Check['look']): Promise<Verdict> {
	try {
		return await look();
	} catch (error) {
		return no(messageOf(error));
	}
}

function ofProject({ supabase, maxFileBytes }: Wanted, now: () => number): Check[] {
	const ask = (path: string, key: string) =>
		fetch(supabase.url.replace(/\/+$/, '') + path, {
			headers: { apikey: key, authorization: `Bearer ${key}` },
			signal: AbortSignal.timeout(answerMs)
		});
	const settings = () => ask('/auth/v1/settings', supabase.publishableKey).then(readAs(Settings));
	const buckets = () => ask('/storage/v1/bucket', supabase.secretKey).then(readAs(Buckets));
	return [
		{
			name: 'project',
			todo: 'Check SUPABASE_URL, and in the dashboard whether the project is paused.',
			async look() {
				const { status } = await ask('/auth/v1/health', supabase.publishableKey);
				return { ok: status < 500, say: `the project answers with ${status}` };
			}
		},
		{
			name: 'publishable key',
			todo: 'Copy SUPABASE_PUBLISHABLE_KEY from Settings → API Keys of the project.',
			async look() {
				await settings();
				return yes('the project takes it');
			}
		},
		{
			name: 'secret key',
			todo: 'Copy SUPABASE_SECRET_KEY (sb_secret_…) from Settings → API Keys; a publishable one sees no bucket.',
			async look() {
				const { length } = await buckets();
				return { ok: length > 0, say: length > 0 ? 'it sees the buckets' : 'it sees no bucket at all' };
			}
		},
		{
			name: 'Google',
			todo: 'Switch Google on under Authentication → Sign In / Providers, with client id and secret.',
			async look() {
				const { google } = (await settings()).external;
				return { ok: google, say: google ? 'people can sign in with it' : 'it is off' };
			}
		},
		{
			name: 'addresses',
			todo: 'Switch "Confirm email" on under Authentication → Sign In / Providers; until then nobody can sign in.',
			async look() {
				const { mailer_autoconfirm: isOff } = await settings();
				return isOff ? no('anybody can take any e-mail address') : yes('new e-mail addresses are confirmed');
			}
		},
		{
			name: 'bucket',
			todo: `Run supabase db push; make the bucket "${bucket}" private, and its size limit no smaller than MAX_FILE_BYTES.`,
			async look() {
				const found = (await buckets()).find(({ id }) => id === bucket);
				if (!found) return no(`there is no bucket "${bucket}"`);
				if (found.public) return no('everybody can read it');
				const limit = found.file_size_limit;
				if (limit && limit < maxFileBytes) return no(`it takes no more than ${limit} bytes`);
				return yes('it is there and private');
			}
		},
		{
			name: 'clock',
			todo: 'Let this machine keep the time (NTP): tokens are checked against it.',
			async look() {
				const { headers } = await ask('/auth/v1/health', supabase.publishableKey);
				const theirs = Date.parse(headers.get('date') ?? '');
				if (Number.isNaN(theirs)) return no('the project does not say its time');
				const skewMs = Math.abs(now() - theirs);
				return { ok: skewMs < maxSkewMs, say: `${Math.round(skewMs / 1000)} s apart from the project` };
			}
		}
	];
}

/** What an address alone tells. */
function ofAddress({ supabase, databaseUrl }: Wanted): Check[] {
	if (!databaseUrl) return [];
	const { port, hostname, username } = new URL(databaseUrl);
	const project = /^([a-z0-9]+)\.supabase\.(co|in)$/.exec(new URL(supabase.url).hostname)?.[1];
	const isHosted = /\.supabase\.(co|com|in)$/.test(hostname);
	return [
		{
			name: 'pooler mode',
			todo: 'Use the direct connection or the session pooler (port 5432) in DATABASE_URL.',
			look: () =>
				port === '6543'
					? no('port 6543 is the transaction pooler: LISTEN does not pass it')
					: yes('it is not the transaction pooler')
		},
		{
			name: 'same project',
			todo: 'Take DATABASE_URL and SUPABASE_URL from the same project.',
			look: () =>
				project && isHosted && !`${hostname} ${username}`.includes(project)
					? no('DATABASE_URL names another project than SUPABASE_URL')
					: yes('database and project belong together, as far as their names tell')
		}
	];
}

function ofDatabase(db: Db): Check[] {
	const push = 'Run supabase db push, or start Asura once.';
	const isThere = async (sql: string, say: [there: string, missing: string]) => {
		const { rowCount } = await db.query(sql);
		return rowCount > 0 ? yes(say[0]) : no(say[1]);
	};
	return [
		{
			name: 'database',
			todo: 'DATABASE_URL must be that of the project: Connect → Session pooler.',
			look: () =>
				isThere(`select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin'`, [
					'it is a Supabase one',
					'it is a Postgres without Supabase'
				])
		},
		{
			name: 'migrations',
			todo: push,
			async look() {
				const { rows } = await db.query<{ name: string }>('select name from asura.migrations');
				const applied = new Set(rows.map(({ name }) => name));
				const missing = (await readScripts()).filter(({ name }) => name !== 'shim.sql' && !applied.has(name));
				return missing.length === 0
					? yes('all are applied')
					: no(`missing: ${missing.map(({ name }) => name).join(', ')}`);
			}
		},
		{
			name: 'policies',
			todo: push,
			look: () =>
				isThere(
					`select from pg_catalog.pg_policies where schemaname = 'storage' and tablename = 'objects'
						and policyname = 'files_are_the_servers' and permissive = 'RESTRICTIVE'`,
					['nobody but the server reaches the blobs', 'the policy that keeps blobs the server’s is missing']
				)
		},
		{
			name: 'publication',
			todo: 'alter publication supabase_realtime add table public.files;',
			look: () =>
				isThere(
					`select from pg_catalog.pg_publication_tables where pubname = 'supabase_realtime'
						and schemaname = 'public' and tablename = 'files'`,
					['Realtime hears of files', 'Realtime does not hear of files']
				)
		},
		{
			name: 'notifications',
			todo: 'Use the direct connection or the session pooler (port 5432) in DATABASE_URL.',
			look: () => hearsItself(db)
		}
	];
}

/** The proof that LISTEN passes whatever stands between. */
async function hearsItself(db: Db): Promise<Verdict> {
	const heard = Promise.withResolvers<Verdict>();
	const text = crypto.randomUUID();
	const stop = await db.listen(
		'asura_doctor',
		(payload) => payload === text && heard.resolve(yes('they pass'))
	);
	const timer = setTimeout(() => heard.resolve(no('one was sent and did not come back')), notifyMs);
	try {
		await db.notify('asura_doctor', text);
		return await heard.promise;
	} finally {
		clearTimeout(timer);
		await stop();
	}
}

function readAs<T extends v.GenericSchema>(schema: T): (response: Response) => Promise<v.InferOutput<T>> {
	return async (response) => {
		const body: unknown = await response.json().catch(() => undefined);
		const read = v.safeParse(schema, body);
		if (response.ok && read.success) return read.output;
		throw new Error(`the project answered ${response.status}`);
	};
}

function yes(say: string): Verdict {
	return { ok: true, say };
}

function no(say: string): Verdict {
	return { ok: false, say };
}
