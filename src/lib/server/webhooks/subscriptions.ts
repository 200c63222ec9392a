// The webhooks of a person. Somebody else's is not found, like one that does not exist. The secret is never read back:
// it is told when the webhook is added, and used by the deliverer.
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { type NewWebhook, Webhook, type WebhookAdded, type WebhookChange } from '#lib/shared/webhooks.ts';
import { problem } from '../errors.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import type { Addresses } from './address.ts';

/** Every end of a file writes a row for each of them. */
const maxWebhooks = 20;

const columns = `
	w.id::text, w.url, to_jsonb(w.events) as events, w.is_enabled, w.disabled_reason,
	to_char(w.failing_since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as failing_since,
	to_char(w.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at`;

export function createSubscriptions({ db, addresses }: { db: Db; addresses: Pick<Addresses, 'check'> }) {
	async function find(on: Queryable, userId: string, id: string): Promise<Webhook> {
		const { rows } = await on.query(
			`select ${columns} from public.webhooks w where w.id = $1 and w.user_id = $2`,
			[checkId(id), userId]
		);
		if (!rows[0]) throw problem('webhook.not_found');
		return v.parse(Webhook, rows[0]);
	}

	return {
		async list(userId: string): Promise<Webhook[]> {
			const { rows } = await db.tx(
				(tx) =>
					tx.query(
						`select ${columns} from public.webhooks w where w.user_id = $1 order by w.created_at, w.id`,
						[userId]
					),
				{ as: { userId } }
			);
			return v.parse(v.array(Webhook), rows);
		},

		get: (userId: string, id: string): Promise<Webhook> =>
			db.tx((tx) => find(tx, userId, id), { as: { userId } }),

		async add(userId: string, { url, events }: NewWebhook): Promise<WebhookAdded> {
			addresses.check(url);
			const secret = `whsec_${randomBytes(32).toString('base64')}`;
			return db.tx(async (tx) => {
				// One at a time, so that two requests together cannot pass the limit.
				await tx.query('select from auth.users where id = $1 for update', [userId]);
				const { rows } = await tx.query(addSql, [userId, url, [...new Set(events)], secret, maxWebhooks]);
				if (!rows[0]) throw problem('webhook.too_many');
				return { webhook: v.parse(Webhook, rows[0]), secret };
			});
		},

		/** Switched off, what waits is given up; switched on, the past is forgotten. */
		async change(userId: string, id: string, change: WebhookChange): Promise<Webhook> {
			if (change.url !== undefined) addresses.check(change.url);
			const { url = null, events, is_enabled = null } = change;
			return db.tx(async (tx) => {
				const params = [checkId(id), userId, url, events ? [...new Set(events)] : null, is_enabled];
				const { rows } = await tx.query(changeSql, params);
				if (!rows[0]) throw problem('webhook.not_found');
				if (is_enabled === false) await giveUpWaiting(tx, id);
				return v.parse(Webhook, rows[0]);
			});
		},

		async remove(userId: string, id: string): Promise<void> {
			const { rowCount } = await db.query('delete from public.webhooks where id = $1 and user_id = $2', [
				checkId(id),
				userId
			]);
			if (rowCount === 0) throw problem('webhook.not_found');
		}
	};
}

/** They can be sent again one by one. */
export async function giveUpWaiting(tx: Queryable, webhookId: string): Promise<void> {
	await tx.query(
		`update asura.webhook_deliveries set status = 'failed', held_until = null,
			error = coalesce(error, 'The webhook was switched off.')
		 where webhook_id = $1 and status = 'waiting'`,
		[webhookId]
	);
}

export function checkId(id: string): string {
	if (!v.is(v.pipe(v.string(), v.uuid()), id)) throw problem('webhook.not_found');
	return id;
}

const addSql = `
	insert into public.webhooks as w (user_id, url, events, secret)
	select $1::uuid, $2, $3::text[], $4
	where (select count(*) from public.webhooks where user_id = $1::uuid) < $5::int
	returning ${columns}`;

const changeSql = `
	update public.webhooks w set url = coalesce($3::text, w.url), events = coalesce($4::text[], w.events),
		is_enabled = coalesce($5::boolean, w.is_enabled),
		disabled_reason = case when $5::boolean is null then w.disabled_reason end,
		failing_since = case when $5::boolean is null then w.failing_since end
	where w.id = $1 and w.user_id = $2
	returning ${columns}`;
