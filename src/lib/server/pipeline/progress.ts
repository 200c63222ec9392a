// From what the stages tell to the bar people see. Stages overlap: the one that is shown is the earliest that has not
// finished, and the percentage adds up all of them by weight. Only what is known counts: a stage that cannot tell its
// total adds nothing before it has finished.
import { isDeepStrictEqual } from 'node:util';
import type { Activity, Stage, StageProgress } from '#lib/shared/files.ts';
import type { ProgressState } from '../files/claim.ts';
import { createEstimate } from './estimate.ts';

export type WorkStage = Exclude<Stage, 'upload'>;
export type Weights = Readonly<Record<WorkStage, number>>;

const order: readonly WorkStage[] = ['compression', 'extraction', 'chunking', 'embedding'];
/** At most four writes a second and file; a change of stage is written at once. */
const quietMs = 250;

export type ProgressOptions = {
	weights: Weights;
	/** Where an earlier attempt had come to. */
	startAt: number;
	/** How long files like this one took. */
	expectedSeconds?: number | undefined;
	write(state: ProgressState): Promise<void>;
	fail(error: unknown): void;
};

export type Progress = ReturnType<typeof createProgress>;

export function createProgress({ weights, startAt, expectedSeconds, write, fail }: ProgressOptions) {
	const beganAt = performance.now();
	const endedAt = new Map<WorkStage, number>();
	const shares = new Map<WorkStage, number>();
	const activities = new Map<WorkStage, Activity>();
	const finished = new Set<WorkStage>();
	const estimate = createEstimate({ expectedSeconds });
	let wait: { from: number; until: number } | undefined;
	let written: ProgressState | undefined;
	let writing: Promise<void> | undefined;
	let endPause: () => void = () => undefined;
	let isDirty = false;
	let isClosed = false;

	const stageNow = (): WorkStage => order.find((stage) => !finished.has(stage)) ?? 'embedding';
	const share = (stage: WorkStage): number => shares.get(stage) ?? 0;
	const isWaiting = (): boolean => wait !== undefined && performance.now() < wait.until;

	/** Of all that have begun: those that were told of, and the earliest, which is at work whether it tells or not. */
	function stageShares(): StageProgress {
		const begun = order.filter(
			(stage) => stage === stageNow() || finished.has(stage) || activities.has(stage)
		);
		return Object.fromEntries(begun.map((stage) => [stage, knownShare(stage)]));
	}

	/** Rounded: what nobody can see need not be written. */
	function knownShare(stage: WorkStage): number | null {
		if (finished.has(stage)) return 1;
		return activities.get(stage)?.total ? Math.floor(share(stage) * 100) / 100 : null;
	}

	function state(): ProgressState {
		const stage = stageNow();
		const percent = 100 * order.reduce((sum, one) => sum + weights[one] * share(one), 0);
		// All is done when the last passage is embedded; where there are none, when the last page is read.
		const decisive = activities.has('chunking') ? 'embedding' : 'extraction';
		return {
			progress: Math.max(percent, startAt),
			stage,
			activity: wait && isWaiting() ? waiting(wait) : (activities.get(stage) ?? null),
			stages: stageShares(),
			etaSeconds: estimate.secondsLeft(decisive, share(decisive))
		};
	}

	/** One write at a time, always of the newest state. */
	function changed(): void {
		isDirty = true;
		if (stageNow() !== written?.stage) endPause();
		writing ??= flush()
			.catch(fail)
			.finally(() => {
				writing = undefined;
				if (isDirty && !isClosed) changed();
			});
	}

	async function flush(): Promise<void> {
		while (isDirty && !isClosed) {
			isDirty = false;
			const next = state();
			if (!isDeepStrictEqual(next, written)) await write(next);
			written = next;
			if (!isClosed && stageNow() === next.stage) await pause();
			// The seconds are counted down, and their end is told, although nothing happens.
			if (written.activity?.unit === 'seconds_waiting') isDirty = true;
		}
	}

	function pause(): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, quietMs);
			endPause = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	return {
		tell(stage: WorkStage, activity: Activity, told = shareOf(activity)): void {
			activities.set(stage, activity);
			shares.set(stage, Math.max(share(stage), told));
			changed();
		},

		finish(stage: WorkStage): void {
			finished.add(stage);
			endedAt.set(stage, performance.now());
			shares.set(stage, 1);
			changed();
		},

		share,

		/** From the beginning until the stage was finished. */
		secondsUntil: (stage: WorkStage): number => ((endedAt.get(stage) ?? beganAt) - beganAt) / 1000,

		/** Somebody else lets us wait; told again and again while it lasts, and 0 when it is over. */
		wait(seconds: number): void {
			const now = performance.now();
			const from = wait && isWaiting() ? wait.from : now;
			wait = seconds > 0 ? { from, until: now + seconds * 1000 } : undefined;
			changed();
		},

		/** Nothing is written any more afterwards. */
		async close(): Promise<void> {
			isClosed = true;
			endPause();
			await writing;
		}
	};
}

function shareOf({ done, total }: Activity): number {
	return total ? Math.min(1, done / total) : 0;
}

function waiting({ from, until }: { from: number; until: number }): Activity {
	const done = Math.round((performance.now() - from) / 1000);
	return { unit: 'seconds_waiting', done, total: Math.round((until - from) / 1000) };
}
