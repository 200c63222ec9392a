import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import type { Job } from '../files/job.ts';
import { silentLog } from '../log.ts';
import { createQueue, type Queue, type Worker } from './queue.ts';

const mebibyte = 1024 ** 2;
let platform: TestPlatform;
let queues: Queue[];

beforeEach(async () => {
	platform = await openTestPlatform();
	queues = [];
});
afterEach(async () => {
	for (const queue of queues) await queue.stop();
	await platform.close();
});

/** A process's queue; more than one of them stands for a process and its successors. */
function makeQueue(workerConcurrency = 2): Queue {
	const queue = createQueue({ ...platform, config: { workerConcurrency }, log: silentLog });
	queues.push(queue);
	return queue;
}

async function openQueue(worker: Partial<Worker> = {}, workerConcurrency = 2): Promise<Queue> {
	const queue = makeQueue(workerConcurrency);
	await queue.start();
	await queue.work({ run: async () => undefined, giveUp: async () => undefined, ...worker });
	return queue;
}

async function send(queue: Queue, sizeBytes = 100): Promise<string> {
	const fileId = randomUUID();
	await platform.db.tx((tx) => queue.send(tx, { fileId, attempt: 0, sizeBytes }));
	return fileId;
}

const untilAborted = (signal: AbortSignal) =>
	new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('the queue', () => {
	it('runs a job that was sent with a change, and none whose change was rolled back', async () => {
		const seen: Job[] = [];
		const queue = await openQueue({ run: async (job) => void seen.push(job) });
		await expect(
			platform.db.tx(async (tx) => {
				await queue.send(tx, { fileId: randomUUID(), attempt: 0, sizeBytes: 1 });
				throw new Error('rolled back');
			})
		).rejects.toThrow('rolled back');
		const fileId = await send(queue);
		await eventually(() => expect(seen).toEqual([{ fileId, attempt: 0, sizeBytes: 100, tries: 0 }]));
		await eventually(async () => expect(await queue.stats()).toEqual({ waiting: 0, active: 0 }));
	});

	it('wakes for a new job long before it would poll', async () => {
		const delays: number[] = [];
		let sentAt = 0;
		const queue = await openQueue({ run: async () => void delays.push(performance.now() - sentAt) });
		for (let i = 1; i <= 10; i++) {
			sentAt = performance.now();
			await send(queue);
			await eventually(() => expect(delays).toHaveLength(i), { everyMs: 2 });
		}
		expect(delays.toSorted((a, b) => a - b)[5]).toBeLessThan(100);
	});

	it('drains a backlog without pauses between jobs', async () => {
		const first = makeQueue();
		await first.start();
		for (let i = 0; i < 8; i++) await send(first);
		let done = 0;
		const startedAt = performance.now();
		await first.work({ run: async () => void done++, giveUp: async () => undefined });
		await eventually(() => expect(done).toBe(8), { timeoutMs: 2_000 });
		expect(performance.now() - startedAt).toBeLessThan(2_000);
	});

	it('keeps a lane for small files and another for big ones', async () => {
		const begun: number[] = [];
		const queue = await openQueue({
			run: async ({ sizeBytes }, signal) => {
				begun.push(sizeBytes);
				if (sizeBytes > mebibyte) await untilAborted(signal);
				return undefined;
			}
		});
		for (let i = 0; i < 4; i++) await send(queue, 50 * mebibyte);
		await eventually(() => expect(begun).toHaveLength(2));
		await send(queue, 1000);
		await eventually(() => expect(begun.at(-1)).toBe(1000), { timeoutMs: 1_000 });
	});

	it('lets a big file begin although small ones keep coming', async () => {
		const begun: number[] = [];
		const first = makeQueue(1);
		await first.start();
		for (let i = 0; i < 50; i++) await send(first, 1000);
		await send(first, 50 * mebibyte);
		await first.work({
			run: async ({ sizeBytes }) => void begun.push(sizeBytes),
			giveUp: async () => undefined
		});
		await eventually(() => expect(begun).toHaveLength(51));
		expect(begun.indexOf(50 * mebibyte)).toBeLessThan(5);
	});

	it('tells the order in which files will be begun: small ones first, then as they came', async () => {
		const queue = makeQueue();
		await queue.start();
		const big = await send(queue, 50 * mebibyte);
		const medium = await send(queue, 2 * mebibyte);
		const small = await send(queue);
		const later = await send(queue);
		expect(await queue.waiting(10)).toEqual([small, later, medium, big]);
		expect(await queue.waiting(1)).toEqual([small]);
		expect([...(await queue.live()).keys()].toSorted()).toEqual([small, later, medium, big].toSorted());
	});

	it('ends the work on a cancelled file within a second, and does not run it again', async () => {
		let runs = 0;
		const queue = await openQueue({
			run: (_, signal) => {
				runs++;
				return untilAborted(signal);
			}
		});
		const fileId = await send(queue);
		await eventually(() => expect(runs).toBe(1));
		const startedAt = performance.now();
		await queue.cancel(fileId);
		expect(performance.now() - startedAt).toBeLessThan(1_000);
		await eventually(async () => expect(await queue.stats()).toEqual({ waiting: 0, active: 0 }));
		expect(runs).toBe(1);
	});

	it('leaves a later attempt alone, which may begin before everybody has heard of the cancelling', async () => {
		const queue = await openQueue({ run: (_, signal) => untilAborted(signal) });
		const fileId = randomUUID();
		for (const attempt of [0, 2]) {
			await platform.db.tx((tx) => queue.send(tx, { fileId, attempt, sizeBytes: 100 }));
		}
		await eventually(() => expect(queue.inHand()).toBe(2));
		await queue.cancel(fileId, 1);
		expect(queue.inHand()).toBe(1);
		await eventually(async () => expect((await queue.live()).get(fileId)).toBe(2));
		expect(queue.inHand()).toBe(1);
	});

	it('ends the work in whichever process has it', async () => {
		const first = await openQueue({ run: (_, signal) => untilAborted(signal) });
		const fileId = await send(first);
		await eventually(() => expect(first.inHand()).toBe(1));
		const second = makeQueue();
		await second.start();
		await second.cancel(fileId);
		await eventually(() => expect(first.inHand()).toBe(0), { timeoutMs: 1_000 });
	});

	it('puts a job off and tells the next delivery how often that happened', async () => {
		const tries: number[] = [];
		const queue = await openQueue({
			run: async (job) => {
				tries.push(job.tries);
				return job.tries < 2 ? { inSeconds: 0, tries: job.tries + 1 } : undefined;
			}
		});
		await send(queue);
		await eventually(() => expect(tries).toEqual([0, 1, 2]));
		await eventually(async () => expect((await queue.stats()).waiting).toBe(0));
	});

	it('gives a job back when it stops, and the next start runs it at once', async () => {
		const first = await openQueue({ run: (_, signal) => untilAborted(signal) });
		const fileId = await send(first);
		await eventually(() => expect(first.inHand()).toBe(1));
		await first.stop();
		const seen: string[] = [];
		const second = makeQueue();
		await second.start();
		expect(await second.stats()).toEqual({ waiting: 1, active: 0 });
		await second.work({ run: async (job) => void seen.push(job.fileId), giveUp: async () => undefined });
		await eventually(() => expect(seen).toEqual([fileId]), { timeoutMs: 500 });
	});

	it('takes back at its start what a dead process had in hand', async () => {
		const fileId = await leaveBehind();
		const seen: string[] = [];
		await openQueue({ run: async (job) => void seen.push(job.fileId) });
		await eventually(() => expect(seen).toEqual([fileId]), { timeoutMs: 3_000 });
	});

	it('gives a job up that was lost too often', async () => {
		const givenUp: Job[] = [];
		let runs = 0;
		const queue = await openQueue({
			run: async () => {
				runs++;
				throw new Error('unforeseen');
			},
			giveUp: async (job) => void givenUp.push(job)
		});
		const fileId = await send(queue);
		await eventually(() => expect(givenUp).toMatchObject([{ fileId, attempt: 0 }]), { timeoutMs: 15_000 });
		expect(runs).toBe(3);
	});

	/** A job as a killed process leaves it: active, and nobody there. */
	async function leaveBehind(): Promise<string> {
		const queue = makeQueue();
		await queue.start();
		const fileId = await send(queue);
		await platform.db.query(
			`update pgboss.job set state = 'active', started_on = now() where name = 'files'`
		);
		await queue.stop();
		return fileId;
	}
});
