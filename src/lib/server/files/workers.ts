// The processes that work on files: each says so in a row of its own, every few seconds, and brings a public key. What
// is sealed with it can be opened by that process only, since the private half never leaves its memory.
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import { createSeal } from '../platform/seal.ts';

const beatMs = 5_000;
const purpose = 'asura password';

export type Workers = ReturnType<typeof createWorkers>;
export type WorkersDeps = { db: Db; lanes: number; log: Log };

export function createWorkers({ db, lanes, log }: WorkersDeps) {
	const id: string = randomUUID();
	const { privateKey, publicKey } = generateKeyPairSync('x25519');
	let timer: NodeJS.Timeout | undefined;

	async function beat(): Promise<void> {
		await db.query(beatSql, [id, textOf(publicKey), lanes]);
	}

	return {
		id,

		/** From now on this process is told passwords, and counts. */
		async join(): Promise<void> {
			await beat();
			const tryBeat = () =>
				void beat().catch((error: unknown) =>
					log.debug({ error: messageOf(error) }, 'no sign of life of this worker')
				);
			timer = setInterval(tryBeat, beatMs).unref();
		},

		async leave(): Promise<void> {
			if (!timer) return;
			clearInterval(timer);
			await db
				.query('delete from asura.workers where id = $1', [id])
				.catch((error: unknown) => log.debug({ error: messageOf(error) }, 'the worker’s row stays for now'));
		},

		/** `text` once for each that is alive. */
		async sealForAll(on: Queryable, text: string): Promise<{ workerId: string; sealed: string }[]> {
			const { rows } = await on.query<{ id: string; public_key: string }>(aliveSql);
			return rows.map((row) => ({ workerId: row.id, sealed: sealFor(row.public_key, text) }));
		},

		/** What was sealed for this process. */
		open(sealed: string): string | undefined {
			const [from = '', body = ''] = sealed.split('.');
			return sealBetween(privateKey, keyOf(from)).open(body);
		},

		/** How many files are worked on at the same time, by all together. */
		async lanes(): Promise<number> {
			const { rows } = await db.query<{ lanes: number }>(
				`select coalesce(sum(lanes), 0)::int as lanes from (${aliveSql}) alive`
			);
			return Math.max(1, rows[0]?.lanes ?? 0);
		}
	};
}

/** To a key of the moment, so that nobody but the worker can open it afterwards, not even who sealed it. */
function sealFor(publicKey: string, text: string): string {
	const moment = generateKeyPairSync('x25519');
	return `${textOf(moment.publicKey)}.${sealBetween(moment.privateKey, keyOf(publicKey)).close(text)}`;
}

function sealBetween(privateKey: KeyObject, publicKey: KeyObject) {
	return createSeal(diffieHellman({ privateKey, publicKey }).toString('base64url'), purpose);
}

function textOf(key: KeyObject): string {
	return key.export({ type: 'spki', format: 'der' }).toString('base64url');
}

function keyOf(text: string): KeyObject {
	return createPublicKey({ key: Buffer.from(text, 'base64url'), type: 'spki', format: 'der' });
}

const aliveSql = `select id::text, public_key, lanes from asura.workers where seen_at > now() - interval '30 seconds'`;

/** Who was not heard of for a minute is gone, and what was sealed for it with it. */
const beatSql = `
	with gone as (
		delete from asura.workers where seen_at < now() - interval '1 minute' and id <> $1::uuid
	), expired as (
		delete from asura.passwords where expires_at < now()
	)
	insert into asura.workers (id, public_key, lanes) values ($1::uuid, $2, $3)
	on conflict (id) do update set seen_at = now()`;
