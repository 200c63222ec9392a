// Personal keys and stream tickets: what programs sign in with.
import * as v from 'valibot';
import { isDay } from './day.ts';
import { KeptText } from './kept-text.ts';

export const scopes = ['read', 'write', 'admin'] as const;
export const keyLimits = { perPerson: 50, maxNameLength: 100 } as const;

export const Scope = v.picklist(scopes);

export const ApiKey = v.object({
	id: v.pipe(v.string(), v.uuid()),
	name: v.string(),
	/** How the key begins; the key itself is shown once, when it is made. */
	hint: v.string(),
	scopes: v.array(Scope),
	created_at: v.string(),
	/** To the minute. */
	last_used_at: v.nullable(v.string()),
	expires_at: v.nullable(v.string())
});

/** POST /api/keys */
export const KeyToMake = v.strictObject({
	name: v.pipe(KeptText, v.trim(), v.minLength(1), v.maxLength(keyLimits.maxNameLength)),
	scopes: v.pipe(v.array(Scope), v.minLength(1), v.maxLength(scopes.length)),
	/** null: until it is revoked. */
	expires_at: v.optional(
		v.nullable(v.pipe(v.string(), v.isoTimestamp(), v.check(isDay, 'There is no such day.'))),
		null
	)
});
export const KeyToMakeJson = v.pipe(v.string(), v.parseJson(), KeyToMake);
/** `token` is shown here and never again. */
export const KeyMade = v.object({ key: ApiKey, token: v.string() });
export const KeysAnswer = v.object({ keys: v.array(ApiKey) });

/** POST /api/stream-tickets */
export const TicketAnswer = v.object({ ticket: v.string(), expires_at: v.string() });

export type Scope = v.InferOutput<typeof Scope>;
export type ApiKey = v.InferOutput<typeof ApiKey>;
export type KeyToMake = v.InferOutput<typeof KeyToMake>;
export type KeyMade = v.InferOutput<typeof KeyMade>;
export type KeysAnswer = v.InferOutput<typeof KeysAnswer>;
export type TicketAnswer = v.InferOutput<typeof TicketAnswer>;

const dayMs = 24 * 60 * 60_000;
/** The page's form: days from now, or nothing for a key without an end. */
export const KeyForm = v.object({
	...KeyToMake.entries,
	expires_at: v.pipe(
		v.string(),
		v.regex(/^\d{0,4}$/),
		v.transform((days) => (days === '' ? null : new Date(Date.now() + Number(days) * dayMs).toISOString()))
	)
});
