// The queue: one job per file at work. pg-boss keeps the jobs and brings back those whose process died.
//
// A job ends in one of four ways. Done: also when the file failed, which its row says. Put off: finished and queued
// anew in one transaction, which costs none of its lives; that is also how a stopping process gives a job back. Lost:
// its handler threw something unforeseen, or its process died; pg-boss delivers it again, `retryLimit` times. Dead: it
// was lost too often and goes to the dead letters, where the file is told.
import type { Job as BossJob } from 'pg-boss';
import * as v from 'valibot';
import type { Config } from '../config.ts';
import { messageOf, problem } from '../errors.ts';
import { Job, type NewJob } from '../files/job.ts';
import type { Stop, Tx } from '../platform/platform.ts';
import { currentTrace, inSpan } from '../tracing.ts';
import { type BossOptions, makeBoss, makeSchema, over, schema } from './boss.ts';
import { createHands, Stopped } from './hands.ts';
import { firstPlaces, lanesFor, priorityOf } from './lanes.ts';
import { createLooks } from './looks.ts';

const name = 'files';
const deadLetters = 'files.dead';
const cancelChannel = 'asura_cancel';
const changedChannel = 'asura_queue';
const shoutMs = 500;

const policy = {
	retryLimit: 2,
	retryDelay: 1,
	retryBackoff: true,
	retryDelayMax: 30,
	// The shortest that pg-boss takes.
	heartbeatSeconds: 10,
	// Stages have budgets of their own; this only bounds what nobody foresaw.
	expireInSeconds: 23 * 3600,
	retentionSeconds: 365 * 24 * 3600,
	deleteAfterSeconds: 24 * 3600,
	notify: true
};
// A job that waits for its time, or comes back, sends no notification.
const polling = { pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 1 };

/** The work cannot be done now: again in a while, and `tries` is what the next delivery is told. */
export type PutOff = {
	inSeconds: number;
	tries: number;
	/**
	 * True: again at once. Asked in the transaction that puts the job off, so that what it finds and locks cannot change
	 * before `wake` finds the job.
	 */
	isDue?: (tx: Tx) => Promise<boolean>;
};

export type Worker = {
	/** `undefined`: done. Throws when it does not know what to do; the job is then delivered again. */
	run(job: Job, signal: AbortSignal): Promise<PutOff | undefined>;
	/** The job was lost too often. */
	giveUp(job: Job): Promise<void>;
};

export type Queue = ReturnType<typeof createQueue>;

export function createQueue(options: BossOptions & { config: Pick<Config, 'workerConcurrency'> }) {
	const { db, capabilities, config, log } = options;
	const boss = makeBoss(options);
	const hands = createHands();
	const listeners = new Set<() => void>();
	let stops: Stop[] = [];
	let shouting: NodeJS.Timeout | undefined;
	let isStopping = false;

	async function send(tx: Tx, job: NewJob, backlog = 0): Promise<void> {
		const traced = { ...job, tries: 0, trace: job.trace ?? currentTrace() };
		await enqueue(tx, traced, { startAfter: 0, priority: priorityOf({ ...job, backlog }) });
	}

	async function enqueue(tx: Tx, job: Job, when: { startAfter: number; priority: number }): Promise<void> {
		const id = await boss.send(name, job, { ...when, db: over(tx), singletonKey: job.fileId });
		if (id === null) throw problem('server.unexpected', { message: 'The queue did not take the job.' });
		changed();
	}

	async function prefer(tx: Tx, { fileId, sizeBytes }: Pick<Job, 'fileId' | 'sizeBytes'>): Promise<void> {
		const { lowest, below } = firstPlaces(sizeBytes);
		await tx.query(preferSql, [name, fileId, lowest, below]);
		changed();
	}

	/** What was put off goes on now. */
	async function wake(tx: Tx, fileId: string): Promise<void> {
		await tx.query(wakeSql, [name, fileId]);
		changed();
	}

	/** Nothing happens when the job is no longer ours: somebody else has it. */
	async function putOff(held: BossJob, job: Job, { inSeconds, tries, isDue }: PutOff): Promise<void> {
		await db.tx(async (tx) => {
			const startAfter = (await isDue?.(tx)) ? 0 : inSeconds;
			const { affected } = v.parse(Settled, await boss.complete(name, held, null, { db: over(tx) }));
			if (affected === 0) return;
			const priority = priorityOf({ ...job, hasBegun: true });
			await enqueue(tx, { ...job, tries }, { startAfter, priority });
		});
	}

	async function handle(worker: Worker, held: BossJob): Promise<void> {
		const job = v.parse(Job, held.data);
		changed();
		try {
			const outcome = await hands.hold(job, held.signal, async (signal) => {
				if (isStopping) throw new Stopped('stopping');
				const { fileId, attempt, kind = 'usual', trace: parent } = job;
				const attributes = { 'file.id': fileId, 'job.attempt': attempt, 'job.kind': kind, parent };
				return inSpan('job', attributes, () => worker.run(job, signal));
			});
			if (outcome) await putOff(held, job, outcome);
		} catch (error) {
			if (error instanceof Stopped && error.reason === 'cancelled') return;
			if (!(error instanceof Stopped)) {
				log.error({ err: error, fileId: job.fileId }, 'a job was lost and will be delivered again');
				throw error;
			}
			await putOff(held, job, { inSeconds: 0, tries: job.tries });
		} finally {
			changed();
		}
	}

	async function serveLane(worker: Worker, lane: object): Promise<void> {
		// A worker that has finished sleeps out its polling interval unless it is told that there may be more.
		const id: string = await boss.work<object>(name, { ...lane, ...polling, batchSize: 1 }, async (jobs) => {
			for (const job of jobs) await handle(worker, job);
			boss.notifyWorker(id);
		});
	}

	function changed(): void {
		tellListeners();
		// Whoever tells people their places may be another process; twice a second is often enough for it.
		if (capabilities.isExclusive) return;
		shouting ??= setTimeout(() => {
			shouting = undefined;
			db.notify(changedChannel, '').catch((error: unknown) =>
				log.debug({ error: messageOf(error) }, 'other processes did not hear of a job')
			);
		}, shoutMs).unref();
	}

	function tellListeners(): void {
		for (const tell of listeners) tell();
	}

	return {
		send,
		prefer,
		wake,

		async start(): Promise<void> {
			await db.tx(makeSchema);
			await boss.start();
			await boss.createQueue(deadLetters, { retryLimit: 100, retryDelay: 5, notify: true });
			await boss.createQueue(name, { ...policy, deadLetter: deadLetters });
			await boss.updateQueue(name, { ...policy, deadLetter: deadLetters });
			if (capabilities.isExclusive) await takeBack();
			const onCancel = (payload: string) => {
				const [fileId = '', before] = payload.split(' ');
				void hands.cancel(fileId, Number(before), 0);
			};
			stops = [await db.listen(cancelChannel, onCancel), await db.listen(changedChannel, tellListeners)];
		},

		async work(worker: Worker): Promise<void> {
			await boss.work<object>(deadLetters, polling, async (jobs) => {
				for (const { data } of jobs) await worker.giveUp(v.parse(Job, data));
			});
			for (const lane of lanesFor(config.workerConcurrency)) await serveLane(worker, lane);
		},

		async cancel(fileId: string, before = Number.MAX_SAFE_INTEGER): Promise<void> {
			// Other processes hear it; a job that nobody has begun finds out when it claims its file.
			await Promise.all([
				hands.cancel(fileId, before, 2_000),
				db.notify(cancelChannel, `${fileId} ${before}`)
			]);
		},

		...createLooks(db, { name, deadLetters }),
		inHand: () => hands.count,

		/** Told whenever a job was sent, begun or ended; of those in other processes a moment later. */
		onChange(tell: () => void): () => void {
			listeners.add(tell);
			return () => void listeners.delete(tell);
		},

		/** Jobs in hand are given back: they run again at the next start, without waiting and at no cost. */
		async stop(): Promise<void> {
			isStopping = true;
			clearTimeout(shouting);
			await Promise.all(stops.splice(0).map((stop) => stop()));
			await boss.offWork(name, { wait: false });
			await hands.stopAll(2_000);
			await boss.stop({ graceful: true, timeout: 1_000, close: false });
		}
	};

	/** Under the exclusive lock whatever is active was left by a process that died. It costs the job one life. */
	async function takeBack(): Promise<void> {
		for (const queue of [name, deadLetters]) {
			const { rows } = await db.query<{ id: string }>(activeSql, [queue]);
			if (rows.length === 0) continue;
			const ids = rows.map(({ id }) => id);
			await boss.fail(queue, ids, { message: 'the process ended' });
			log.warn({ queue, jobs: ids.length }, 'jobs of a process that ended are run again');
		}
	}
}

const Settled = v.object({ affected: v.number() });

/**
 * What was wanted last comes first. pg-boss changes no job that stands in its queue. One that waits for its time need not
 * any more.
 */
const preferSql = `
	update ${schema}.job set start_after = least(start_after, now()), priority = least($4::int - 1, (
		select greatest($3::int, max(other.priority) + 1) from ${schema}.job other
		where other.name = $1 and other.state < 'active' and other.priority < $4::int))
	where name = $1 and data ->> 'fileId' = $2 and state < 'active'`;

const wakeSql = `
	update ${schema}.job set start_after = now()
	where name = $1 and data ->> 'fileId' = $2 and state < 'active' and start_after > now()`;

const activeSql = `select id::text from ${schema}.job where name = $1 and state = 'active'`;
