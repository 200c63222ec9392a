// Makes things happen for the harness page: files without work, written the way the pipeline writes them (a claim and
// its progress), so that whatever follows files cannot tell the difference. Their bytes are real, too.
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { type Stage, stages, type StoredFile } from '#lib/shared/files.ts';
import { type HarnessAction, harnessLimits } from '#lib/shared/harness.ts';
import type { Session } from '../auth/auth.ts';
import { problem } from '../errors.ts';
import { type Claim, LostClaim } from '../files/claim.ts';
import { createFiles, type FilesDeps } from '../files/files.ts';
import { createWorkers } from '../files/workers.ts';
import type { Log } from '../log.ts';
import type { Events } from './events.ts';

const ticksPerStage = 10;
const worked = stages.slice(1);

export type Harness = ReturnType<typeof createHarness>;
export type HarnessDeps = Omit<FilesDeps, 'jobs' | 'workers'> & {
	events: Pick<Events, 'send'>;
	/** Ends a worker that is at work for the person, or an idle one. */
	crashWorker(userId: string): Promise<'busy' | 'idle'>;
	quotaBytes: number;
	log: Log;
};

export function createHarness({ events, crashWorker, quotaBytes, log, ...deps }: HarnessDeps) {
	// No job: nobody but the harness works on these files.
	const idle = async () => undefined;
	const files = createFiles({
		...deps,
		jobs: { send: idle, prefer: idle, cancel: idle },
		workers: createWorkers({ ...deps, lanes: 1, log })
	});
	const stopping = new AbortController();
	const running = new Set<Promise<void>>();

	async function begin(userId: string, work: (claim: Claim) => Promise<void>): Promise<StoredFile> {
		if (running.size >= harnessLimits.filesAtOnce) throw problem('request.too_many');
		const text = `A synthetic file of the harness, ${randomUUID()}.\n`;
		const blobId = randomUUID();
		await deps.blobs.put(`${blobId}/original`, Readable.from([Buffer.from(text)]));
		const { file } = await files.add({
			userId,
			blobId,
			filename: `synthetic ${text.slice(-10, -2)}.txt`,
			fileType: 'text/plain',
			sizeBytes: Buffer.byteLength(text),
			sha256: createHash('sha256').update(text).digest('hex'),
			quotaBytes
		});
		const done = drive(file, work).finally(() => running.delete(done));
		running.add(done);
		return file;
	}

	async function drive(file: StoredFile, work: (claim: Claim) => Promise<void>): Promise<void> {
		try {
			const claim = await files.claim({ fileId: file.id, attempt: 0, sizeBytes: file.size_bytes, tries: 0 });
			if (claim) await work(claim);
		} catch (error) {
			// Cancelled or deleted meanwhile, or the server stops: as with any other file.
			if (error instanceof LostClaim || stopping.signal.aborted) return;
			log.error({ err: error, file: file.id }, 'a synthetic file came to a halt');
		}
	}

	async function goThrough(claim: Claim, stageMs: number, failAt: Stage | null): Promise<void> {
		for (const [n, stage] of worked.entries()) {
			for (let tick = 0; tick <= ticksPerStage; tick += 1) {
				if (stage === failAt && tick === ticksPerStage / 2) {
					const message = `The harness was asked to fail at ${stage}.`;
					return claim.fail({ code: 'stage.timed_out', message });
				}
				await claim.progress({
					progress: (100 * (n + tick / ticksPerStage)) / worked.length,
					stage,
					activity: { unit: 'pages', done: tick, total: ticksPerStage },
					stages: { [stage]: tick / ticksPerStage },
					etaSeconds: (stageMs * (worked.length - n - tick / ticksPerStage)) / 1000
				});
				await pause(stageMs / ticksPerStage, undefined, { signal: stopping.signal });
			}
		}
		await claim.complete({ pageCount: ticksPerStage, chunkCount: 0, warnings: [] });
	}

	async function burst(claim: Claim, ticks: number): Promise<void> {
		for (let done = 1; done <= ticks && !stopping.signal.aborted; done += 1) {
			const activity = { unit: 'chunks', done, total: ticks } as const;
			await claim.progress({
				progress: (99 * done) / ticks,
				stage: 'embedding',
				activity,
				stages: {},
				etaSeconds: null
			});
		}
		await claim.complete({ pageCount: null, chunkCount: 0, warnings: [] });
	}

	return {
		async crash(session: Session): Promise<{ worker: 'busy' | 'idle' }> {
			const worker = await crashWorker(session.userId);
			log.info({ userId: session.userId, worker }, 'a worker was ended for the harness');
			return { worker };
		},

		async act(session: Session, action: Exclude<HarnessAction, { do: 'crash' }>): Promise<{ id: string }> {
			if (action.do === 'file')
				return begin(session.userId, (claim) => goThrough(claim, action.stageMs, action.failAt));
			if (action.do === 'burst') return begin(session.userId, (claim) => burst(claim, action.ticks));
			if (action.to === 'everybody' && !session.isAdmin) throw problem('auth.not_allowed');
			const data = { title: action.title };
			if (action.to === 'everybody') return events.send({ to: 'everybody', event: 'system-alert', data });
			const to = action.to === 'user' ? { user: session.userId } : { session: session.id };
			return events.send({ to, event: 'notification', data });
		},

		async stop(): Promise<void> {
			stopping.abort();
			await Promise.all(running);
		}
	};
}
