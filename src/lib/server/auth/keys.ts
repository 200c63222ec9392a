// Personal keys: what a person's programs sign in with. Like a session, a key counts only as long as the way of
// signing in under which it was made is the configured one. It is found by its hash; the key itself is nowhere.
import * as v from 'valibot';
import { ApiKey, keyLimits, type KeyMade, type KeyToMake, Scope } from '#lib/shared/keys.ts';
import { problem } from '../errors.ts';
import type { Db, Tx } from '../platform/platform.ts';
import { personColumns } from './people.ts';
import { hash, isId, isKey, keyPrefix, newToken } from './tokens.ts';

const touchAfterMs = 60_000;
const hintLength = keyPrefix.length + 4;
const longestMs = 10 * 365 * 24 * 60 * 60_000;

export type Keys = ReturnType<typeof createKeys>;
export type StoredKey = v.InferOutput<typeof StoredKey>;

const StoredKey = v.object({
	id: v.string(),
	userId: v.string(),
	email: v.string(),
	name: v.string(),
	scopes: v.array(Scope),
	usedMs: v.nullable(v.number()),
	expiresMs: v.nullable(v.number())
});
const Ids = v.array(v.object({ id: v.string() }));

const iso = (column: string) =>
	`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${column}`;
const shown = `id::text, name, hint, scopes, ${iso('created_at')}, ${iso('last_used_at')}, ${iso('expires_at')}`;
const milliseconds = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
const stored = `select k.id::text, k.user_id::text as "userId", ${personColumns}, k.scopes,
		${milliseconds('k.last_used_at')} as "usedMs", ${milliseconds('k.expires_at')} as "expiresMs"
	from asura.api_keys k join auth.users u on u.id = k.user_id`;
const isGood = (at: string, provider: string) =>
	`provider = ${provider} and (expires_at is null or expires_at > ${at}::timestamptz)`;

export function createKeys({ db, provider, now }: { db: Db; provider: string; now: () => Date }) {
	async function findOne(where: string, value: string): Promise<StoredKey | undefined> {
		const { rows } = await db.query(`${stored} where k.${where} and ${isGood('$2', '$3')}`, [
			value,
			now().toISOString(),
			provider
		]);
		return rows[0] && v.parse(StoredKey, rows[0]);
	}

	async function touch({ id, usedMs }: StoredKey): Promise<void> {
		const at = now();
		if (usedMs !== null && at.getTime() - usedMs < touchAfterMs) return;
		await db.query('update asura.api_keys set last_used_at = $2::timestamptz where id = $1::uuid', [
			id,
			at.toISOString()
		]);
	}

	return {
		async make(userId: string, { name, scopes, expires_at }: KeyToMake): Promise<KeyMade> {
			checkExpiry(expires_at, now());
			const token = keyPrefix + newToken();
			const key = await db.tx(async (tx) => {
				await checkNumber(tx, userId);
				const { rows } = await tx.query(
					`insert into asura.api_keys (user_id, name, key_hash, hint, provider, scopes, created_at, expires_at)
					values ($1::uuid, $2, $3, $4, $5, $6::text[], $7::timestamptz, $8::timestamptz) returning ${shown}`,
					[
						userId,
						name,
						hash(token),
						token.slice(0, hintLength),
						provider,
						[...new Set(scopes)],
						now().toISOString(),
						expires_at && new Date(expires_at).toISOString()
					]
				);
				return v.parse(ApiKey, rows[0]);
			});
			return { key, token };
		},

		/** Newest first. */
		async list(userId: string): Promise<ApiKey[]> {
			const { rows } = await db.query(
				`select ${shown} from asura.api_keys where user_id = $1::uuid order by api_keys.created_at desc, api_keys.id`,
				[userId]
			);
			return v.parse(v.array(ApiKey), rows);
		},

		/** Returns the id of the key that is gone. */
		async revoke(userId: string, id: string): Promise<string> {
			if (!isId(id)) throw problem('key.not_found');
			const { rows } = await db.query(
				'delete from asura.api_keys where user_id = $1::uuid and id = $2::uuid returning id::text',
				[userId, id]
			);
			const [gone] = idsOf(rows);
			if (gone === undefined) throw problem('key.not_found');
			return gone;
		},

		async find(token: string): Promise<StoredKey | undefined> {
			const key = isKey(token) ? await findOne('key_hash = $1', hash(token)) : undefined;
			if (key) await touch(key);
			return key;
		},

		findById: (id: string): Promise<StoredKey | undefined> => findOne('id = $1::uuid', id),

		/** Those of the ids that are keys and still good. */
		async alive(ids: readonly string[]): Promise<Set<string>> {
			const { rows } = await db.query(
				`select id::text from asura.api_keys where id = any($1::text[]::uuid[]) and ${isGood('$2', '$3')}`,
				[ids, now().toISOString(), provider]
			);
			return idsOf(rows);
		},

		/** Those that expired within the last moments: their streams must end. */
		async justExpired(withinMs: number): Promise<Set<string>> {
			const at = now();
			const { rows } = await db.query(
				`select id::text from asura.api_keys where expires_at > $1::timestamptz and expires_at <= $2::timestamptz`,
				[new Date(at.getTime() - withinMs).toISOString(), at.toISOString()]
			);
			return idsOf(rows);
		}
	};
}

function checkExpiry(expiresAt: string | null, at: Date): void {
	if (expiresAt === null) return;
	const ms = Date.parse(expiresAt) - at.getTime();
	if (ms > 0 && ms <= longestMs) return;
	const issues = [
		{ path: 'expires_at', message: 'A key expires in the future, within ten years, or never.' }
	];
	throw problem('request.invalid', { details: { issues } });
}

/** One after the other, so that two requests at once cannot both be the last one allowed. */
async function checkNumber(tx: Tx, userId: string): Promise<void> {
	await tx.query('select from auth.users where id = $1::uuid for update', [userId]);
	const { rowCount } = await tx.query('select from asura.api_keys where user_id = $1::uuid', [userId]);
	if (rowCount >= keyLimits.perPerson) throw problem('key.too_many');
}

function idsOf(rows: unknown): Set<string> {
	return new Set(v.parse(Ids, rows).map(({ id }) => id));
}
