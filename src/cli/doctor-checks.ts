// Everything that `npm run doctor` looks at from outside. What a part needs to be checked is in that part.
import type { Config } from '#lib/server/config.ts';
import { type Check, type Checked, runChecks } from '#lib/server/platform/checks.ts';

export async function checkOutside(config: Config): Promise<Checked[]> {
	const checks: Check[] = [];
	if (config.databaseUrl !== undefined) {
		const { postgresChecks } = await import('#lib/server/platform/supabase/pg-checks.ts');
		checks.push(...postgresChecks(config.databaseUrl));
	}
	return runChecks(checks);
}

const words = { well: 'well ', note: 'note ', wrong: 'WRONG' };

export function sayChecked({ state, about, says, todo }: Checked): string {
	return `${words[state]}  ${about}: ${says}.${todo ? ` ${todo}` : ''}`;
}
