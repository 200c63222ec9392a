// Places in the queue, told to the files at its head. Somebody's job that is sent, begun or ended moves all the others;
// at most once a second they hear of it.
import { messageOf } from '../errors.ts';
import type { Files } from '../files/files.ts';
import type { Log } from '../log.ts';
import type { Queue } from '../queue/queue.ts';

const told = 200;
const everyMs = 1_000;

export type PositionsDeps = {
	files: Pick<Files, 'setPositions'>;
	queue: Pick<Queue, 'waiting' | 'onChange'>;
	log: Log;
};

export function createPositions({ files, queue, log }: PositionsDeps) {
	let timer: NodeJS.Timeout | undefined;
	let telling: Promise<void> = Promise.resolve();
	let stopListening: (() => void) | undefined;

	async function tell(): Promise<void> {
		try {
			await files.setPositions(await queue.waiting(told));
		} catch (error) {
			log.warn({ error: messageOf(error) }, 'places in the queue were not told');
		}
	}

	return {
		start(): void {
			stopListening = queue.onChange(() => {
				timer ??= setTimeout(() => {
					timer = undefined;
					telling = tell();
				}, everyMs).unref();
			});
		},
		async stop(): Promise<void> {
			stopListening?.();
			clearTimeout(timer);
			await telling;
		}
	};
}
