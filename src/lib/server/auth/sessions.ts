// Sessions: a random token in the browser's cookie, its hash in asura.sessions. A session lasts 30 days from its last
// use, and only as long as the way of signing in that it came from is the configured one: a session made on the machine
// itself is worth nothing once the server is open to others.
import * as v from 'valibot';
import type { Db, Tx } from '../platform/platform.ts';
import { personColumns } from './people.ts';
import { hash, isId, newToken } from './tokens.ts';

export const sessionMs = 30 * 24 * 60 * 60_000;
const touchAfterMs = 60 * 60_000;
const maxUserAgentLength = 400;

export type Sessions = ReturnType<typeof createSessions>;
export type StoredSession = v.InferOutput<typeof StoredSession>;

const StoredSession = v.object({
	id: v.string(),
	userId: v.string(),
	email: v.string(),
	name: v.string(),
	expiresMs: v.number(),
	seenMs: v.number()
});
export type ListedSession = v.InferOutput<typeof ListedSession>;
const ListedSession = v.object({
	id: v.string(),
	/** What its browser says of itself. */
	userAgent: v.string(),
	createdAt: v.string(),
	/** To the hour: not every request is noted. */
	seenAt: v.string()
});
const stored = `select s.id::text, s.user_id::text as "userId", ${personColumns},
		(extract(epoch from s.expires_at) * 1000)::float8 as "expiresMs",
		(extract(epoch from s.last_seen_at) * 1000)::float8 as "seenMs"
	from asura.sessions s join auth.users u on u.id = s.user_id`;
const isGood = 'and s.provider = $2 and s.expires_at > $3::timestamptz';
const Ids = v.array(v.object({ id: v.string() }));

export function createSessions({ db, provider, now }: { db: Db; provider: string; now: () => Date }) {
	return {
		/** Returns the token: it exists nowhere else. */
		async add(tx: Tx, { userId, userAgent }: { userId: string; userAgent: string }): Promise<string> {
			const token = newToken();
			await tx.query(
				`insert into asura.sessions (user_id, token_hash, provider, user_agent, created_at, last_seen_at, expires_at)
				values ($1::uuid, $2, $3, $4, $5::timestamptz, $5::timestamptz, $6::timestamptz)`,
				[userId, hash(token), provider, userAgent.slice(0, maxUserAgentLength), ...lifetime(now())]
			);
			await tx.query(
				`delete from asura.sessions where id in (
					select id from asura.sessions where user_id = $1::uuid
					order by last_seen_at desc, id offset ${keptPerPerson})`,
				[userId]
			);
			return token;
		},

		async find(token: string, tx: Pick<Db, 'query'> = db): Promise<StoredSession | undefined> {
			const at = now();
			const { rows } = await tx.query(`${stored} where s.token_hash = $1 ${isGood}`, [
				hash(token),
				provider,
				at.toISOString()
			]);
			if (!rows[0]) return undefined;
			const session = v.parse(StoredSession, rows[0]);
			if (at.getTime() - session.seenMs < touchAfterMs) return session;
			await tx.query(
				'update asura.sessions set last_seen_at = $2::timestamptz, expires_at = $3::timestamptz where id = $1::uuid',
				[session.id, ...lifetime(at)]
			);
			return { ...session, expiresMs: at.getTime() + sessionMs };
		},

		/** For what a ticket of that session opens; nothing is touched. */
		async findById(id: string): Promise<StoredSession | undefined> {
			const { rows } = await db.query(`${stored} where s.id = $1::uuid ${isGood}`, [
				id,
				provider,
				now().toISOString()
			]);
			return rows[0] && v.parse(StoredSession, rows[0]);
		},

		/** Those of the ids that have not ended: another process may have ended some. */
		async alive(ids: readonly string[]): Promise<Set<string>> {
			const { rows } = await db.query(
				`select id::text from asura.sessions
				where id = any($1::text[]::uuid[]) and provider = $2 and expires_at > $3::timestamptz`,
				[ids, provider, now().toISOString()]
			);
			return idsOf(rows);
		},

		/** The id of the session that ended; undefined when there was none. */
		async end(token: string): Promise<string | undefined> {
			const { rows } = await db.query('delete from asura.sessions where token_hash = $1 returning id::text', [
				hash(token)
			]);
			return [...idsOf(rows)][0];
		},

		/** Of one person, the last used first. */
		async list(userId: string): Promise<ListedSession[]> {
			const { rows } = await db.query(
				`select s.id::text, s.user_agent as "userAgent", ${iso('s.created_at')} as "createdAt",
					${iso('s.last_seen_at')} as "seenAt"
				from asura.sessions s
				where s.user_id = $1::uuid and s.provider = $2 and s.expires_at > $3::timestamptz
				order by s.last_seen_at desc, s.id limit ${listedAtMost}`,
				[userId, provider, now().toISOString()]
			);
			return v.parse(v.array(ListedSession), rows);
		},

		/** Those of the person's sessions that were ended: the one with `id`, or all. */
		async endOf(userId: string, id?: string): Promise<Set<string>> {
			if (id !== undefined && !isId(id)) return new Set();
			const { rows } = await db.query(
				`delete from asura.sessions where user_id = $1::uuid and ($2::uuid is null or id = $2::uuid)
				returning id::text`,
				[userId, id ?? null]
			);
			return idsOf(rows);
		},

		async endExpired(): Promise<Set<string>> {
			const { rows } = await db.query(
				'delete from asura.sessions where expires_at <= $1::timestamptz returning id::text',
				[now().toISOString()]
			);
			return idsOf(rows);
		}
	};
}

const listedAtMost = 100;
/** Beyond it the one that was not seen for longest ends: a program that signs in again and again must not fill the table. */
const keptPerPerson = 1000;

function iso(column: string): string {
	return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}

function lifetime(at: Date): [string, string] {
	return [at.toISOString(), new Date(at.getTime() + sessionMs).toISOString()];
}

function idsOf(rows: unknown): Set<string> {
	return new Set(v.parse(Ids, rows).map(({ id }) => id));
}
