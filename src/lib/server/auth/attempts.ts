// How often one address may try to sign in with the provider: a token bucket each, in bounded memory.
import { problem } from '../errors.ts';

export type Attempts = { take(address: string): void };
type Bucket = { tokens: number; at: number };

export function createAttempts({
	burst,
	perSecond,
	maxAddresses = 10_000,
	now = Date.now
}: {
	burst: number;
	perSecond: number;
	maxAddresses?: number;
	now?: () => number;
}): Attempts {
	const buckets = new Map<string, Bucket>();

	return {
		take(address) {
			const at = now();
			const before = buckets.get(address) ?? { tokens: burst, at };
			const tokens = Math.min(burst, before.tokens + ((at - before.at) / 1000) * perSecond);
			if (tokens < 1) {
				const seconds = Math.ceil((1 - tokens) / perSecond);
				throw problem('request.too_many', { headers: { 'retry-after': String(seconds) } });
			}
			// Deleting first keeps the map in order of use: the first key is the one not seen for longest.
			buckets.delete(address);
			buckets.set(address, { tokens: tokens - 1, at });
			const [oldest] = buckets.keys();
			if (buckets.size > maxAddresses && oldest !== undefined) buckets.delete(oldest);
		}
	};
}
