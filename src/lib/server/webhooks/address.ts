// Where a webhook may lead. A person chooses the address and this server goes there, so without a fence anybody could
// reach what only this server reaches: its own loopback, the network behind it, a cloud's metadata. The name is resolved
// for each delivery and the connection is made to the address that was judged, so that a name whose answer changes in
// between (DNS rebinding) gains nothing.
import { type LookupAddress, lookup as lookUp } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { problem } from '../errors.ts';

export class AddressRefused extends Error {
	override readonly name = 'AddressRefused';
}

export type Resolve = (
	hostname: string,
	done: (error: Error | null, addresses: LookupAddress[]) => void
) => void;

/** As every program here does it: hosts file and local names too. */
const asTheSystem: Resolve = (hostname, done) => lookUp(hostname, { all: true }, done);

/** The system's look-up waits in one of four threads, which files need as well: nobody's slow name server may hold them. */
const fromNameServers: Resolve = (hostname, done) => {
	const resolver = new Resolver({ timeout: 2000, tries: 2 });
	const asked = [resolver.resolve4(hostname), resolver.resolve6(hostname)] as const;
	void Promise.allSettled(asked).then(([v4, v6]) => {
		const found = [v4, v6].flatMap((one, i) =>
			one.status === 'fulfilled' ? one.value.map((address) => ({ address, family: i === 0 ? 4 : 6 })) : []
		);
		if (found.length === 0 && v4.status === 'rejected') done(v4.reason, []);
		else done(null, found);
	});
};

export type Addresses = ReturnType<typeof createAddresses>;

export function createAddresses({ allowPrivate, resolve }: Options) {
	const ask = resolve ?? (allowPrivate ? asTheSystem : fromNameServers);
	const isAllowed = (address: string): boolean => allowPrivate || isPublic(address);

	/** Of `node:net`: what it answers is what is connected to. */
	const lookup: LookupFunction = (hostname, { all }, done) => {
		ask(hostname, (error, addresses) => {
			const [first] = addresses ?? [];
			if (error || !first) return done(error ?? new Error('The name has no address.'), []);
			// One private address among public ones is reason enough: nobody has that by honest mistake.
			if (!addresses.every(({ address }) => isAllowed(address))) return done(new AddressRefused(), []);
			if (all) done(null, addresses);
			else done(null, first.address, first.family);
		});
	};

	return {
		lookup,
		/** What can be said of an address without asking anybody for its name. */
		check(address: string): URL {
			const url = new URL(address);
			const host = url.hostname.replace(/^\[|\]$/g, '');
			if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) {
				throw refusal('A webhook must have an https:// address.');
			}
			if (url.username || url.password) throw refusal('A webhook’s address must not hold a password.');
			if (ipaddr.isValid(host) && !isAllowed(host)) throw refusal('That address is not a public one.');
			return url;
		}
	};
}

type Options = { allowPrivate: boolean; resolve?: Resolve };

/** Anything with a special meaning is refused, also IPv4 in the clothes of IPv6 (mapped, compatible, NAT64, 6to4, Teredo). */
export function isPublic(address: string): boolean {
	if (!ipaddr.isValid(address)) return false;
	const parsed = ipaddr.process(address);
	return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(globalUnicast));
}

/** All of IPv6 that has been given out to the public. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

function refusal(message: string) {
	return problem('webhook.address_refused', { message });
}
