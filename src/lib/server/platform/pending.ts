// What a browser keeps between the two halves of a sign-in: sealed, and good for ten minutes.
import * as v from 'valibot';
import { problem } from '../errors.ts';
import { createSeal } from './seal.ts';

const pendingMs = 10 * 60_000;

const Bounded = v.object({ expiresAt: v.number() });

export function createPending<T extends object>(
	secret: string,
	schema: v.GenericSchema<unknown, T>,
	now: () => number
) {
	const seal = createSeal(secret, 'asura sign-in');
	return {
		close: (pending: T): string => seal.close(JSON.stringify({ ...pending, expiresAt: now() + pendingMs })),

		open(sealed: string): T {
			const text = seal.open(sealed);
			if (text === undefined) throw problem('auth.state_mismatch');
			const kept: unknown = JSON.parse(text);
			if (v.parse(Bounded, kept).expiresAt <= now()) throw problem('auth.state_mismatch');
			return v.parse(schema, kept);
		}
	};
}
