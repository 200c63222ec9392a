import { expect, test } from 'vitest';
import { combineFeeds } from './combined-feed.ts';
import type { ChangeFeed } from './platform.ts';

function handFeed(): ChangeFeed & { ring(userId?: string): void } {
	const listeners = new Set<(userId: string | undefined) => void>();
	return {
		ring: (userId) => listeners.forEach((listener) => listener(userId)),
		async subscribe(onWake) {
			listeners.add(onWake);
			return async () => void listeners.delete(onWake);
		}
	};
}

test('rings when any of its feeds rings, until it is stopped', async () => {
	const [one, two] = [handFeed(), handFeed()];
	const heard: unknown[] = [];
	const stop = await combineFeeds(one, two).subscribe((userId) => heard.push(userId));
	one.ring('ada');
	two.ring();
	await stop();
	one.ring('bob');
	two.ring('bob');
	expect(heard).toEqual(['ada', undefined]);
});

test('leaves nobody listening when one of its feeds cannot be subscribed to', async () => {
	const one = handFeed();
	const broken: ChangeFeed = { subscribe: () => Promise.reject(new Error('no connection')) };
	const heard: unknown[] = [];
	await expect(combineFeeds(one, broken).subscribe((userId) => heard.push(userId))).rejects.toThrow(
		'no connection'
	);
	one.ring('ada');
	expect(heard).toEqual([]);
});
