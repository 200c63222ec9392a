import { expect, it } from 'vitest';
import { createAttempts } from './attempts.ts';

it('lets a burst pass, then as many as the rate gives back', () => {
	let at = 0;
	const attempts = createAttempts({ burst: 3, perSecond: 0.5, now: () => at });
	const take = () => attempts.take('192.0.2.1');
	for (let i = 0; i < 3; i++) take();
	expect(take).toThrow(
		expect.objectContaining({ code: 'request.too_many', headers: { 'retry-after': '2' } })
	);
	at += 2000;
	expect(take).not.toThrow();
	expect(take).toThrow();
	at += 3_600_000;
	for (let i = 0; i < 3; i++) take();
	expect(take).toThrow();
});

it('forgets the address not seen for longest when there are too many', () => {
	const attempts = createAttempts({ burst: 1, perSecond: 0.001, maxAddresses: 2, now: () => 0 });
	attempts.take('a');
	attempts.take('b');
	expect(() => attempts.take('a')).toThrow();
	attempts.take('c');
	expect(() => attempts.take('b')).toThrow();
	expect(() => attempts.take('a')).not.toThrow();
});
