// The metrics of frames, for code that runs once per frame and connection: looking up a label there costs as much as
// sending the frame.
import { streamEvents } from '#lib/shared/events.ts';
import { knownEvents } from '#lib/shared/named-events.ts';
import type { Metrics } from '../metrics.ts';

export type FrameCounts = ReturnType<typeof createFrameCounts>;

export function createFrameCounts(metrics: Pick<Metrics, 'frames' | 'conflated' | 'deliverySeconds'>) {
	const counters = new Map<string, { inc(): void }>();
	return {
		sent(event: string): void {
			// Events that programs name themselves would make as many labels.
			const label = ownEvents.has(event) ? event : 'other';
			let counter = counters.get(label);
			if (!counter) {
				counter = metrics.frames.labels(label);
				counters.set(label, counter);
			}
			counter.inc();
		},
		conflated: (): void => metrics.conflated.inc(),
		delivered(updatedAt: string): void {
			metrics.deliverySeconds.observe((Date.now() - Date.parse(updatedAt)) / 1000);
		}
	};
}

const ownEvents: ReadonlySet<string> = new Set([
	...streamEvents,
	// Of a stream that follows one file.
	'progress',
	'completed',
	'failed',
	...knownEvents
]);
