// The webhooks of people and projects. One that a person may not see is not found, like one that does not exist. A secret
// is never read back: it is told when it is made, and used by the deliverer.
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { type NewWebhook, Webhook, type WebhookAdded, type WebhookChange } from '#lib/shared/webhooks.ts';
import { type AppError, problem } from '../errors.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import type { Addresses } from './address.ts';

/** Every end of a file writes a row for each of them. */
const maxWebhooks = 20;
/** Time to bring a new secret to its receiver. */
const oldSecretHours = 24;

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Of a project a webhook is seen by those who may edit, and used by whoever made it; $2 is the person. */
const isSeen = `(w.user_id = $2 or w.project_id in (select asura.scopes_of($2, 'editor')))`;
const isUsed = `(w.user_id = $2 and (w.project_id is null or w.project_id in (select asura.scopes_of($2, 'editor'))))`;
const isRemoved = `(w.user_id = $2 or w.project_id in (select asura.scopes_of($2, 'owner')))`;

const columns = `
	w.id::text, w.url, to_jsonb(w.events) as events, w.is_enabled, w.disabled_reason,
	${iso('w.failing_since')} as failing_since, ${iso('w.created_at')} as created_at,
	(select jsonb_build_object('id', p.id, 'name', p.name) from public.projects p where p.id = w.project_id) as project,
	case when ${isUsed} then 'change' when ${isRemoved} then 'remove' else 'look' end as you_may,
	case when w.previous_secret_until > now() then ${iso('w.previous_secret_until')} end as old_secret_until`;

type Deps = {
	db: Db;
	addresses: Pick<Addresses, 'check'>;
	/** Throws unless the person may edit the project. */
	reachProject: (userId: string, projectId: string) => Promise<unknown>;
};

export function createSubscriptions({ db, addresses, reachProject }: Deps) {
	async function read(on: Queryable, userId: string, id?: string): Promise<Webhook[]> {
		const { rows } = await on.query(seenSql, [id ?? null, userId]);
		return v.parse(v.array(Webhook), rows);
	}

	async function find(on: Queryable, userId: string, id: string): Promise<Webhook> {
		const [webhook] = await read(on, userId, checkId(id));
		if (!webhook) throw problem('webhook.not_found');
		return webhook;
	}

	const get = (userId: string, id: string): Promise<Webhook> => find(db, userId, id);

	return {
		/** The person's, and those of projects that she may edit. */
		list: (userId: string): Promise<Webhook[]> => read(db, userId),
		get,

		/** Throws unless it is the person's own. */
		async use(userId: string, id: string): Promise<void> {
			if ((await get(userId, id)).you_may !== 'change') throw problem('webhook.not_yours');
		},

		async add(userId: string, { url, events, project }: NewWebhook): Promise<WebhookAdded> {
			addresses.check(url);
			if (project !== undefined) await reachProject(userId, project);
			const secret = newSecret();
			const [added] = await db.tx(async (tx) => {
				// One at a time, so that two requests together cannot pass the limit.
				await tx.query('select from auth.users where id = $1 for update', [userId]);
				if (project) await tx.query('select from public.projects where id = $1 for no key update', [project]);
				const params = [project ?? null, userId, url, [...new Set(events)], secret, maxWebhooks];
				return (await tx.query(addSql, params)).rows;
			});
			if (added) return { webhook: v.parse(Webhook, added), secret };
			// Whoever may not any more is told that.
			if (project !== undefined) await reachProject(userId, project);
			throw problem('webhook.too_many');
		},

		/** Switched off, what waits is given up; switched on, the past is forgotten. */
		async change(userId: string, id: string, change: WebhookChange): Promise<Webhook> {
			if (change.url !== undefined) addresses.check(change.url);
			const { url = null, events, is_enabled = null } = change;
			return db.tx(async (tx) => {
				const params = [checkId(id), userId, url, events ? [...new Set(events)] : null, is_enabled];
				const { rows } = await tx.query(changeSql, params);
				if (!rows[0]) throw await whyNot(tx, userId, id);
				if (is_enabled === false) await giveUpWaiting(tx, id);
				return v.parse(Webhook, rows[0]);
			});
		},

		/** The secret until now signs beside the new one for a day; one that was before it does not any more. */
		async changeSecret(userId: string, id: string): Promise<WebhookAdded> {
			const secret = newSecret();
			const { rows } = await db.query(secretSql, [checkId(id), userId, secret, oldSecretHours]);
			if (!rows[0]) throw await whyNot(db, userId, id);
			return { webhook: v.parse(Webhook, rows[0]), secret };
		},

		/** What does not sign any more is not kept. */
		async forgetOldSecrets(): Promise<void> {
			await db.query(
				`update public.webhooks set previous_secret = null, previous_secret_until = null
				 where previous_secret_until <= now()`
			);
		},

		async remove(userId: string, id: string): Promise<void> {
			const sql = `delete from public.webhooks w where w.id = $1 and ${isRemoved}`;
			const { rowCount } = await db.query(sql, [checkId(id), userId]);
			if (rowCount === 0) throw await whyNot(db, userId, id);
		}
	};

	async function whyNot(on: Queryable, userId: string, id: string): Promise<AppError> {
		await find(on, userId, id);
		return problem('webhook.not_yours');
	}
}

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

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

const seenSql = `
	select ${columns} from public.webhooks w where ($1::uuid is null or w.id = $1) and ${isSeen}
	order by w.created_at, w.id`;

const addSql = `
	insert into public.webhooks as w (user_id, project_id, url, events, secret)
	select $2::uuid, $1::uuid, $3, $4::text[], $5
	where (select count(*) from public.webhooks where user_id = $2::uuid) < $6::int
		and (select count(*) from public.webhooks where project_id = $1::uuid) < $6::int
		and ($1::uuid is null or $1::uuid in (select asura.scopes_of($2::uuid, 'editor')))
	returning ${columns}`;

const changeSql = `
	update public.webhooks w set url = coalesce($3::text, w.url), events = coalesce($4::text[], w.events),
		is_enabled = coalesce($5::boolean, w.is_enabled),
		disabled_reason = case when $5::boolean is null then w.disabled_reason end,
		failing_since = case when $5::boolean is null then w.failing_since end
	where w.id = $1 and ${isUsed}
	returning ${columns}`;

const secretSql = `
	update public.webhooks w set secret = $3, previous_secret = w.secret,
		previous_secret_until = now() + $4::int * interval '1 hour'
	where w.id = $1 and ${isUsed}
	returning ${columns}`;
