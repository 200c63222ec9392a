// Everything that `npm run doctor` looks at from outside. What a part needs to be checked is in that part.
import type { Config } from '#lib/server/config.ts';
import { silentLog } from '#lib/server/log.ts';
import { type Checked, runChecks } from '#lib/server/platform/checks.ts';

export async function checkOutside(config: Config): Promise<Checked[]> {
	const { databaseUrl, supabase } = config;
	if (databaseUrl === undefined) return [];
	const { postgresChecks } = await import('#lib/server/platform/supabase/pg-checks.ts');
	const checked = await runChecks(postgresChecks(databaseUrl));
	if (supabase) checked.push(...(await checkProject({ ...config, supabase }, databaseUrl, checked)));
	return checked;
}

/** What the database itself says of the project is asked only where there is one. */
async function checkProject(
	config: Config & { supabase: NonNullable<Config['supabase']> },
	databaseUrl: string,
	[database, ...others]: readonly Checked[]
): Promise<Checked[]> {
	const [{ supabaseChecks }, { PgDb }] = await Promise.all([
		import('#lib/server/platform/supabase/checks.ts'),
		import('#lib/server/platform/supabase/pg-db.ts')
	]);
	const db = new PgDb({ url: databaseUrl, connections: 1, log: silentLog });
	try {
		const findings = await supabaseChecks(config, database?.state === 'well' ? db : undefined);
		// The schema and LISTEN were looked at already.
		const told = others.length > 0 ? ['migrations', 'notifications'] : [];
		return findings
			.filter(({ name }) => !told.includes(name))
			.map(({ name, ok, say, todo }) => ({
				about: `Supabase: ${name}`,
				state: ok ? 'well' : 'wrong',
				says: say,
				...(todo && { todo })
			}));
	} finally {
		await db.close();
	}
}

const words = { well: 'well ', note: 'note ', wrong: 'WRONG' };

export function sayChecked({ state, about, says, todo }: Checked): string {
	return `${words[state]}  ${about}: ${says}.${todo ? ` ${todo}` : ''}`;
}
