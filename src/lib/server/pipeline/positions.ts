// Places in the queue and remaining times, told to the files at its head. Somebody's job that is sent, begun or ended
// moves all the others; at most once a second they hear of it. While nothing moves, time passes all the same.
import { messageOf } from '../errors.ts';
import type { Files, Unfinished } from '../files/files.ts';
import type { Log } from '../log.ts';
import type { Queue } from '../queue/queue.ts';
import { type Rates, secondsFrom, secondsOfOthers } from './rates.ts';
import { finishTimes, secondsByPeers } from './schedule.ts';

const told = 200;
const everyMs = 1_000;
const afreshMs = 5_000;

export type PositionsDeps = {
	files: Pick<Files, 'setPositions' | 'unfinished'>;
	queue: Pick<Queue, 'waiting' | 'onChange'>;
	rates: Pick<Rates, 'all'>;
	/** How many files are worked on at the same time, by all processes together. */
	countLanes: () => Promise<number>;
	log: Log;
};

export function createPositions({ files, queue, rates, countLanes, log }: PositionsDeps) {
	let timer: NodeJS.Timeout | undefined;
	let clock: NodeJS.Timeout | undefined;
	let telling: Promise<void> = Promise.resolve();
	let stopListening: (() => void) | undefined;
	let isAnybodyWaiting = false;
	let isAsked = false;

	/** One at a time; what is asked for meanwhile is told once. */
	function ask(): void {
		if (isAsked) return;
		isAsked = true;
		telling = telling.then(() => {
			isAsked = false;
			return tell();
		});
	}

	async function tell(): Promise<void> {
		try {
			const order = await queue.waiting(told);
			isAnybodyWaiting = order.length > 0;
			await files.setPositions(await withTimes(order));
		} catch (error) {
			log.warn({ error: messageOf(error) }, 'places in the queue were not told');
		}
	}

	async function withTimes(order: readonly string[]) {
		if (order.length === 0) return [];
		const known = await rates.all();
		const open = new Map((await files.unfinished(order)).map((file) => [file.id, file]));
		const atWork = [...open.values()].filter(({ status }) => status === 'processing');
		const seconds = (file: Unfinished) =>
			secondsFrom(known, file) ?? secondsByPeers(atWork, file) ?? secondsOfOthers(known, file);
		const waiting = order.flatMap((id) => {
			const file = open.get(id);
			return file?.status === 'pending' ? [{ id, seconds: seconds(file) }] : [];
		});
		const times = finishTimes(waiting, {
			atWork: atWork.map((file) => file.etaSeconds ?? seconds(file)),
			lanes: await countLanes()
		});
		return waiting.map(({ id }, i) => ({ id, etaSeconds: times[i] }));
	}

	return {
		start(): void {
			stopListening = queue.onChange(() => {
				timer ??= setTimeout(() => {
					timer = undefined;
					ask();
				}, everyMs).unref();
			});
			clock = setInterval(() => {
				if (isAnybodyWaiting) ask();
			}, afreshMs).unref();
		},
		async stop(): Promise<void> {
			stopListening?.();
			clearTimeout(timer);
			clearInterval(clock);
			timer = undefined;
			await telling;
		}
	};
}
