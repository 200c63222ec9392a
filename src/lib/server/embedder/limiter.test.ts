import { expect, test } from 'vitest';
import { createLimiter } from './limiter.ts';

const signal = new AbortController().signal;

test('one who leaves when it is their turn does not leave the others standing', async () => {
	const limiter = createLimiter({ start: 1, max: 1 });
	const held = await limiter.enter({ signal });
	const leaving = new AbortController();
	const left = limiter.enter({ signal: leaving.signal });
	const next = limiter.enter({ signal });
	held.release();
	leaving.abort(new Error('stop'));
	await expect(left).rejects.toThrow('stop');
	(await next).release();
});

test('one who leaves during a pause does not leave the others standing', async () => {
	const limiter = createLimiter({ start: 1, max: 1 });
	const held = await limiter.enter({ signal });
	const leaving = new AbortController();
	const left = limiter.enter({ signal: leaving.signal });
	const next = limiter.enter({ signal });
	held.refused(100);
	held.release();
	const failed = expect(left).rejects.toThrow('stop');
	setTimeout(() => leaving.abort(new Error('stop')), 20);
	await failed;
	(await next).release();
});

test('refusals of calls that were open together count as one', async () => {
	const limiter = createLimiter({ start: 8 });
	const permits = await Promise.all(Array.from({ length: 8 }, () => limiter.enter({ signal })));
	for (const permit of permits) permit.refused(0);
	expect(limiter.limit).toBe(4);
});
