// Brings the messages of the outbox to their receivers, at least once, with the same id each time. Whoever takes one
// holds it for a while; a process that dies with it in hand is found out by the time. One message of a webhook at a
// time, so that they come in order while all goes well, and a receiver that hangs keeps nobody waiting but itself.
import * as v from 'valibot';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Capabilities, Db } from '../platform/platform.ts';
import type { Outcome, Send } from './send.ts';
import { settle } from './settle.ts';

const atOnce = 16;
/** Of one person: sixteen receivers of one that hang must not keep everybody else waiting. */
const atOncePerPerson = 4;
const heldSeconds = 60;

export type DelivererDeps = {
	db: Db;
	capabilities: Pick<Capabilities, 'isExclusive'>;
	send: Send;
	/** Tells the owner that a webhook was switched off. */
	notify: (userId: string, webhook: { url: string; reason: string }) => Promise<unknown>;
	log: Log;
	everyMs?: number;
};

const Taken = v.object({
	id: v.string(),
	webhookId: v.string(),
	userId: v.string(),
	attempts: v.number(),
	body: v.string(),
	url: v.string(),
	/** The newest first. */
	secrets: v.array(v.string())
});
type Taken = v.InferOutput<typeof Taken>;

export function createDeliverer(deps: DelivererDeps) {
	const { db, capabilities, send, notify, log, everyMs = 1000 } = deps;
	const stopping = new AbortController();
	/** Webhooks with a message in hand. */
	const busy = new Map<string, { userId: string; done: Promise<void> }>();
	let looking: Promise<void> | undefined;
	let timer: NodeJS.Timeout | undefined;

	function look(): void {
		if (!timer || stopping.signal.aborted || busy.size >= atOnce) return;
		looking ??= takeDue()
			.catch((error: unknown) => log.error({ err: error }, 'the outbox cannot be read'))
			.finally(() => (looking = undefined));
	}

	async function takeDue(): Promise<void> {
		const params = [[...busy.keys()], peopleWithEnough(), atOnce - busy.size, heldSeconds, atOncePerPerson];
		const { rows } = await db.query(takeSql, params);
		for (const taken of v.parse(v.array(Taken), rows)) {
			const done = deliver(taken)
				.catch((error: unknown) => log.error({ err: error, id: taken.id }, 'a delivery was not settled'))
				.finally(() => {
					busy.delete(taken.webhookId);
					look();
				});
			busy.set(taken.webhookId, { userId: taken.userId, done });
		}
	}

	function peopleWithEnough(): string[] {
		const people = Map.groupBy(busy.values(), ({ userId }) => userId);
		return [...people].filter(([, held]) => held.length >= atOncePerPerson).map(([userId]) => userId);
	}

	async function deliver(taken: Taken): Promise<void> {
		let outcome: Outcome;
		try {
			outcome = await send(taken, stopping.signal);
		} catch (error) {
			// Given back: the next start sends it again, and that costs it nothing.
			await db.query(giveBackSql, [taken.id, taken.attempts]);
			if (stopping.signal.aborted) return;
			throw error;
		}
		const reason = await settle(db, taken, outcome);
		log.debug({ id: taken.id, webhookId: taken.webhookId, status: outcome.status }, 'a webhook was called');
		if (reason === undefined) return;
		log.info({ webhookId: taken.webhookId, reason }, 'a webhook was switched off');
		await notify(taken.userId, { url: taken.url, reason }).catch((error: unknown) =>
			log.warn({ error: messageOf(error) }, 'the owner of a webhook was not told')
		);
	}

	return {
		/** There may be something to send; nothing happens in a process that does not deliver. */
		look,

		async start(): Promise<void> {
			// Nobody else can hold any: a predecessor died with them in hand.
			if (capabilities.isExclusive) await db.query(takeBackSql);
			timer = setInterval(look, everyMs).unref();
			look();
		},

		/** What is in hand is given back. */
		async stop(): Promise<void> {
			clearInterval(timer);
			stopping.abort();
			await looking;
			await Promise.all([...busy.values()].map(({ done }) => done));
		}
	};
}

/** The oldest that is due of each webhook that is not busy; a few of each person. */
const takeSql = `
	with oldest as (
		select distinct on (d.webhook_id) d.id, d.next_at, w.user_id
		from asura.webhook_deliveries d join public.webhooks w on w.id = d.webhook_id
		where d.status = 'waiting' and d.next_at <= now() and (d.held_until is null or d.held_until < now())
			and not (d.webhook_id = any($1::text[]::uuid[])) and not (w.user_id = any($2::text[]::uuid[]))
			and not exists (
				select from asura.webhook_deliveries h
				where h.webhook_id = d.webhook_id and h.status = 'waiting' and h.held_until >= now()
			)
		order by d.webhook_id, d.next_at, d.created_at, d.id
	), ranked as (
		select id, next_at, row_number() over (partition by user_id order by next_at, id) as place from oldest
	), taken as (
		select d.id from asura.webhook_deliveries d
		where d.id in (select id from ranked where place <= $5::int order by next_at limit $3::int)
			and d.status = 'waiting' and (d.held_until is null or d.held_until < now())
		for update skip locked
	)
	update asura.webhook_deliveries d
	set attempts = d.attempts + 1, held_until = now() + $4::int * interval '1 second'
	from taken, public.webhooks w
	where d.id = taken.id and w.id = d.webhook_id
	returning d.id::text, d.webhook_id::text as "webhookId", w.user_id::text as "userId", d.attempts,
		d.body::text, w.url, to_jsonb(array_remove(array[
			w.secret, case when w.previous_secret_until > now() then w.previous_secret end
		], null)) as secrets`;

const giveBackSql = `
	update asura.webhook_deliveries set attempts = attempts - 1, held_until = null
	where id = $1 and attempts = $2 and status = 'waiting'`;

const takeBackSql = `update asura.webhook_deliveries set held_until = null where held_until is not null`;
