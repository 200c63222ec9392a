import type { ChangeFeed, Stop } from './platform.ts';

/** Rings when any of them rings. One that cannot be subscribed to ends the others: half a feed is not asked for. */
export function combineFeeds(...feeds: readonly ChangeFeed[]): ChangeFeed {
	return {
		async subscribe(onWake) {
			const begun = await Promise.allSettled(feeds.map((feed) => feed.subscribe(onWake)));
			const stop: Stop = async () => {
				await Promise.all(begun.map(async (one) => one.status === 'fulfilled' && (await one.value())));
			};
			const failed = begun.find((one) => one.status === 'rejected');
			if (!failed) return stop;
			await stop();
			throw failed.reason;
		}
	};
}
