// Who asks, when proxies stand in between: each one adds the address it heard from at the right end of X-Forwarded-For.
// Only what trusted ones wrote counts; what stands further left may be anybody's invention.
import ipaddr from 'ipaddr.js';

export type ClientAddress = (peer: string, forwardedFor: string | null | undefined) => string;

export function createClientAddress(trusted: readonly string[]): ClientAddress {
	const ranges = trusted.map((one) =>
		one.includes('/') ? ipaddr.parseCIDR(one) : ipaddr.parseCIDR(`${one}/${one.includes(':') ? 128 : 32}`)
	);
	const isTrusted = (address: string) => {
		if (!ipaddr.isValid(address)) return false;
		const parsed = ipaddr.process(address);
		return ranges.some((range) => range[0].kind() === parsed.kind() && parsed.match(range));
	};
	return (peer, forwardedFor) => {
		const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim());
		let address = peer;
		for (let hop = hops.pop(); isTrusted(address) && hop && ipaddr.isValid(hop); hop = hops.pop())
			address = hop;
		return ipaddr.isValid(address) ? bucketOf(address) : address;
	};
}

/** Whoever has one address of IPv6 usually has the whole /64. */
function bucketOf(address: string): string {
	const parsed = ipaddr.process(address);
	if (parsed.kind() === 'ipv4') return parsed.toString();
	const bytes = parsed.toByteArray().fill(0, 8);
	return `${ipaddr.fromByteArray(bytes).toString()}/64`;
}
