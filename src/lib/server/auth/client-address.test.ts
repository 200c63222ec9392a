import { expect, it } from 'vitest';
import { createClientAddress } from './client-address.ts';

it('is the peer when no proxy is trusted, whatever a client says of itself', () => {
	expect(createClientAddress([])('198.51.100.7', '10.0.0.1')).toBe('198.51.100.7');
});

it('is what the last trusted proxy heard from, not what the client invented', () => {
	const addressOf = createClientAddress(['127.0.0.1', '10.0.0.0/8']);
	expect(addressOf('127.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
	expect(addressOf('::ffff:127.0.0.1', '1.2.3.4, 203.0.113.9, 10.1.2.3')).toBe('203.0.113.9');
	expect(addressOf('198.51.100.7', '203.0.113.9')).toBe('198.51.100.7');
	expect(addressOf('127.0.0.1', null)).toBe('127.0.0.1');
	expect(addressOf('127.0.0.1', 'nonsense')).toBe('127.0.0.1');
});

it('is one for a whole /64 of IPv6, which is one customer', () => {
	const addressOf = createClientAddress([]);
	expect(addressOf('2001:db8:1:2::7', null)).toBe(addressOf('2001:db8:1:2:ffff::1', null));
	expect(addressOf('2001:db8:1:2::7', null)).not.toBe(addressOf('2001:db8:1:3::7', null));
});
