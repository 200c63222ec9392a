// What an attempt means: for the message (delivered, again later, given up) and for its webhook (well, failing, off).
import type { Db, Tx } from '../platform/platform.ts';
import type { Outcome } from './send.ts';
import { giveUpWaiting } from './subscriptions.ts';

/** After the first attempt: somewhat more than two days. */
export const retryAfterSeconds: readonly number[] = [
	5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 50_400, 86_400
];
/** A webhook that has not taken a single message for so long is switched off. */
const patienceDays = 3;

export type Attempt = { id: string; webhookId: string; attempts: number };

/** Why the webhook was switched off, if it was. Nothing happens when somebody else has the message by now. */
export function settle(db: Db, attempt: Attempt, outcome: Outcome): Promise<string | undefined> {
	return db.tx(async (tx) => {
		// The webhook before its messages, as everybody locks them.
		await tx.query('select from public.webhooks where id = $1 for update', [attempt.webhookId]);
		if (!(await settleMessage(tx, attempt, outcome))) return undefined;
		return outcome.isDelivered ? praise(tx, attempt) : blame(tx, attempt, outcome);
	});
}

async function settleMessage(tx: Tx, { id, attempts }: Attempt, outcome: Outcome): Promise<boolean> {
	const { isDelivered, status = null, error, durationMs } = outcome;
	const retryIn = isDelivered ? undefined : retryAfterSeconds[attempts - 1];
	const state = isDelivered ? 'delivered' : retryIn === undefined ? 'failed' : 'waiting';
	// Those that failed together do not come back together.
	const seconds = (retryIn ?? 0) * (1 + Math.random() / 10);
	const params = [id, attempts, state, status, error, durationMs, seconds];
	return (await tx.query(settleSql, params)).rowCount > 0;
}

async function praise(tx: Tx, { webhookId }: Attempt): Promise<undefined> {
	await tx.query(
		'update public.webhooks set failing_since = null where id = $1 and failing_since is not null',
		[webhookId]
	);
}

async function blame(
	tx: Tx,
	{ webhookId }: Attempt,
	{ status, error }: Outcome
): Promise<string | undefined> {
	const isGone = status === 410;
	const reason = isGone
		? 'The receiver says that it is gone for good (410).'
		: `Nothing was delivered for ${patienceDays} days. ${error ?? ''}`.trim();
	await tx.query('update public.webhooks set failing_since = coalesce(failing_since, now()) where id = $1', [
		webhookId
	]);
	const { rowCount } = await tx.query(switchOffSql, [webhookId, reason, isGone, patienceDays]);
	if (rowCount === 0) return undefined;
	await giveUpWaiting(tx, webhookId);
	return reason;
}

const settleSql = `
	update asura.webhook_deliveries set status = $3, response_status = $4, error = $5, duration_ms = $6,
		attempted_at = now(), held_until = null, next_at = now() + $7::float8 * interval '1 second'
	where id = $1 and attempts = $2 and status = 'waiting'`;

const switchOffSql = `
	update public.webhooks set is_enabled = false, disabled_reason = $2
	where id = $1 and is_enabled and ($3::boolean or failing_since < now() - $4::int * interval '1 day')`;
