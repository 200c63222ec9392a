import { expect, test } from 'vitest';
import { createLimiter, type Limiter } from './limiter.ts';

const signal = new AbortController().signal;

/** Three who will leave and one who stays, behind the only permit there is. */
async function queueUp(limiter: Limiter) {
	const held = await limiter.enter({ signal });
	const leaving = new AbortController();
	const left = Promise.allSettled([1, 2, 3].map(() => limiter.enter({ signal: leaving.signal })));
	const stays = limiter.enter({ signal });
	return { held, leaving, left, stays };
}

test('those who leave when it is their turn do not leave the others standing', async () => {
	const { held, leaving, left, stays } = await queueUp(createLimiter({ start: 1, max: 1 }));
	held.release();
	leaving.abort(new Error('stop'));
	for (const outcome of await left) expect(outcome.status).toBe('rejected');
	(await stays).release();
});

test('those who leave during a pause do not leave the others standing', async () => {
	const { held, leaving, left, stays } = await queueUp(createLimiter({ start: 1, max: 1 }));
	held.refused(100);
	held.release();
	setTimeout(() => leaving.abort(new Error('stop')), 20);
	for (const outcome of await left) expect(outcome.status).toBe('rejected');
	(await stays).release();
});

test('refusals of calls that were open together count as one', async () => {
	const limiter = createLimiter({ start: 8 });
	const permits = await Promise.all(Array.from({ length: 8 }, () => limiter.enter({ signal })));
	for (const permit of permits) permit.refused(0);
	expect(limiter.limit).toBe(4);
});
