// A database that starts together with us may need a moment; one that refuses us will refuse us again.
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Db } from '../platform.ts';

const pauseMs = 1_000;
/** Wrong password, no such role, no such database, not allowed. */
const refusals = new Set(['28P01', '28000', '3D000', '42501']);

type Wait = { url: string; waitSeconds: number; log: Log };

export async function untilReachable(db: Db, { url, waitSeconds, log }: Wait): Promise<void> {
	const giveUpAt = performance.now() + waitSeconds * 1000;
	for (let isFirst = true; ; isFirst = false) {
		try {
			await db.query('select 1');
			return;
		} catch (error) {
			const { code, reason } = reasonOf(error);
			if (refusals.has(code)) throw new ConfigError(`The database at ${placeOf(url)} refuses: ${reason}.`);
			if (performance.now() >= giveUpAt) {
				throw new ConfigError(
					`The database at ${placeOf(url)} cannot be reached (${reason}). Start it, or correct DATABASE_URL.`
				);
			}
			if (isFirst)
				log.warn(
					{ database: placeOf(url), reason, waitSeconds },
					'waiting for a database that cannot be reached'
				);
			await delay(pauseMs);
		}
	}
}

/** Without the name and the password that stand in the address. */
export function placeOf(url: string): string {
	const { hostname, port, pathname, searchParams } = new URL(url);
	const host = searchParams.get('host') ?? hostname;
	return `${host || 'localhost'}${port && `:${port}`}${pathname}`;
}

/** Whoever tries several addresses says nothing in its own message. */
export function reasonOf(error: unknown): { code: string; reason: string } {
	const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
	const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
	return { code, reason: messageOf(cause) || code };
}
