// One lock per person. Whoever adds or removes files holds it alone: the quota is counted, duplicates are found and
// vectors nobody needs are dropped while nothing moves. Whoever adds passages to a file shares it: a vector that is
// counted on cannot be dropped in between.
import { problem } from '../errors.ts';
import { DbError } from '../platform/db-error.ts';
import type { Tx } from '../platform/platform.ts';

export async function lockOwner(tx: Tx, userId: string): Promise<void> {
	await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`asura.owner:${userId}`]);
}

/** Always in the same order: two who wait for each other would wait for ever. */
export async function lockOwners(tx: Tx, ...userIds: readonly string[]): Promise<void> {
	for (const userId of new Set(userIds.toSorted())) await lockOwner(tx, userId);
}

export async function shareOwnerLock(tx: Tx, userId: string): Promise<void> {
	await tx.query('select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [`asura.owner:${userId}`]);
}

const foreignKeyViolation = '23503';

/** The account was deleted while something of it arrived: to its owner that is being signed out, not a fault of ours. */
export async function forOwner<T>(adding: Promise<T>): Promise<T> {
	try {
		return await adding;
	} catch (cause) {
		const isRefused = cause instanceof DbError && cause.code === foreignKeyViolation;
		const isGone = isRefused && cause.constraint?.endsWith('_user_id_fkey');
		throw isGone ? problem('auth.required', { cause }) : cause;
	}
}
