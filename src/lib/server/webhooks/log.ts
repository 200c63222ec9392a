// What became of each message, newest first; and messages by hand: one again, or one that says nothing but "test".
import * as v from 'valibot';
import { type DeliveriesAnswer, type DeliveriesQuery, Delivery } from '#lib/shared/webhooks.ts';
import { problem } from '../errors.ts';
import type { Db } from '../platform/platform.ts';
import { checkId } from './subscriptions.ts';

const page = 50;
const keptDays = 30;
const keptPerWebhook = 10_000;

const iso = (column: string) =>
	`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${column.slice(2)}`;
const columns = `
	d.id::text, d.event, d.status, d.attempts, d.response_status, d.error, d.duration_ms,
	${iso('d.attempted_at')}, ${iso('d.created_at')},
	case when d.status = 'waiting' and d.held_until is null
		then to_char(d.next_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end as next_attempt_at`;

export function createDeliveryLog(db: Db) {
	async function one(sql: string, params: unknown[]): Promise<Delivery | undefined> {
		const { rows } = await db.query(sql, params);
		return rows[0] && v.parse(Delivery, rows[0]);
	}

	return {
		/** Of a webhook of this person; checked by the caller. */
		async list(webhookId: string, { after, limit = page }: DeliveriesQuery): Promise<DeliveriesAnswer> {
			const { rows } = await db.query(listSql, [webhookId, after ?? null, limit + 1]);
			const deliveries = v.parse(v.array(Delivery), rows);
			const last = deliveries.length > limit ? deliveries[limit - 1] : undefined;
			return { deliveries: deliveries.slice(0, limit), next: last?.id ?? null };
		},

		/** The same message with the same id; its receiver may have had it already. */
		async replay(webhookId: string, id: string): Promise<Delivery> {
			const delivery = await one(replaySql, [webhookId, checkId(id)]);
			if (!delivery) throw problem('webhook.delivery_not_found');
			return delivery;
		},

		async test(webhookId: string): Promise<Delivery> {
			const delivery = await one(testSql, [webhookId]);
			if (!delivery) throw problem('webhook.not_found');
			return delivery;
		},

		async prune(): Promise<void> {
			await db.query(
				`delete from asura.webhook_deliveries where created_at < now() - $1::int * interval '1 day'`,
				[keptDays]
			);
			await db.query(pruneSql, [keptPerWebhook]);
		}
	};
}

/** `after` may be gone by now: then it was among the oldest, and nothing follows. */
const listSql = `
	select ${columns} from asura.webhook_deliveries d
	where d.webhook_id = $1 and ($2::uuid is null or (d.created_at, d.id) < (
		select a.created_at, a.id from asura.webhook_deliveries a where a.id = $2::uuid and a.webhook_id = $1
	))
	order by d.created_at desc, d.id desc limit $3::int`;

const replaySql = `
	update asura.webhook_deliveries d set status = 'waiting', attempts = 0, next_at = now(), held_until = null
	where d.webhook_id = $1 and d.id = $2 returning ${columns}`;

const testSql = `
	insert into asura.webhook_deliveries as d (webhook_id, event, body)
	select w.id, 'webhook.test', jsonb_build_object('type', 'webhook.test', 'timestamp',
		to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', jsonb_build_object('webhook_id', w.id))
	from public.webhooks w where w.id = $1 returning ${columns}`;

const pruneSql = `
	delete from asura.webhook_deliveries where id in (
		select id from (
			select id, row_number() over (partition by webhook_id order by created_at desc, id desc) as place
			from asura.webhook_deliveries
		) ranked where place > $1::int
	)`;
