// The way of one file: claimed, compressed, read, cut, embedded, completed. The stages run at the same time on what is
// there already; each leaves a checkpoint, so that another attempt goes on where this one ended. Every write carries
// the claim: what an outdated attempt writes is refused, and its work ends quietly.
import type { ErrorCode } from '#lib/shared/errors.ts';
import { AppError, problem } from '../errors.ts';
import { type Claim, LostClaim } from '../files/claim.ts';
import type { Files } from '../files/files.ts';
import type { Job } from '../files/job.ts';
import type { Sleep } from '../processor/processor.ts';
import type { PutOff } from '../queue/queue.ts';
import { createCheckpoints } from './checkpoints.ts';
import { compress } from './compression.ts';
import { embedPages } from './embedding.ts';
import { forgetPages, forgetPagesOfCompleted, readPages } from './extraction.ts';
import { isReadOutside, outsideWeights, readOutside } from './outside.ts';
import { createProgress, type Progress } from './progress.ts';
import { secondsFrom, type Took, weightsFrom } from './rates.ts';
import { retryAfterSeconds } from './retries.ts';
import { openScope } from './scope.ts';
import type { Scratch } from '../scratch.ts';
import type { ChunkPages, Page } from './stage.ts';
import { collectWarnings, type Warnings } from './warnings.ts';
import type { PipelineDeps, Work } from './work.ts';

/** They may be gone in a while, without anybody doing anything. */
const passing = new Set<ErrorCode>([
	'embedding.rate_limited',
	'embedding.unreachable',
	'processor.unreachable',
	'server.unavailable'
]);

export type Deps = PipelineDeps & { files: Files; scratch: Scratch; cut: ChunkPages };

export function createPipeline(deps: Deps) {
	const { files, metrics, log } = deps;

	async function run(job: Job, signal: AbortSignal): Promise<PutOff | undefined> {
		const twin = job.kind === 'anew' ? undefined : await files.findTwin(job.fileId);
		if (twin?.isBusy) return { inSeconds: patience(twin.waitedSeconds), tries: job.tries };
		const claim = await files.claim(job);
		if (!claim) {
			await forgetPagesOfCompleted(deps, job.fileId);
			return undefined;
		}
		try {
			const isCopied = twin !== undefined && (await claim.completeAs(twin.id, deps.embedder.model));
			const sleep = isCopied ? undefined : await processFile(deps, claim, job, signal);
			if (sleep) return { ...sleep, tries: job.tries };
			await end(claim, 'completed', 'none');
			return undefined;
		} catch (error) {
			signal.throwIfAborted();
			return settle(claim, job, error);
		}
	}

	/** What a failure means: for the file, for the job, or for nobody. */
	async function settle(claim: Claim, job: Job, error: unknown): Promise<PutOff | undefined> {
		if (error instanceof LostClaim) return undefined;
		if (!(error instanceof AppError) || error.code === 'server.unexpected') throw error;
		try {
			return await tryLater(claim, job, error);
		} catch (lost) {
			if (lost instanceof LostClaim) return undefined;
			throw lost;
		}
	}

	async function tryLater(claim: Claim, job: Job, error: AppError): Promise<PutOff | undefined> {
		const inSeconds = isPassing(error) ? retryAfterSeconds[job.tries] : undefined;
		log.warn(
			{ fileId: job.fileId, code: error.code, err: error, inSeconds },
			'a file could not be processed'
		);
		if (inSeconds !== undefined) {
			await claim.wait(inSeconds);
			return { inSeconds, tries: job.tries + 1 };
		}
		await claim.fail(error);
		await end(claim, 'failed', error.code);
		return undefined;
	}

	async function end(claim: Claim, status: string, code: string): Promise<void> {
		const { file } = claim;
		metrics.filesEnded.inc({ status, code });
		if (isFirst(claim)) return;
		// The file has ended, whatever becomes of this; a password that stays expires.
		await files.passwords
			.forget(file.id)
			.catch((error: unknown) => log.warn({ err: error, fileId: file.id }, 'a password stays for a while'));
	}

	/** The job was lost too often. */
	async function giveUp(job: Job): Promise<void> {
		const outcome = await files.giveUp(job);
		log.error({ fileId: job.fileId, outcome }, 'a job was lost several times');
		if (outcome === 'failed') metrics.filesEnded.inc({ status: 'failed', code: 'job.gave_up' });
	}

	return { run, giveUp };
}

/** Resolves with how long to sleep, when the file is being read elsewhere. */
async function processFile(
	deps: Deps,
	claim: Claim,
	job: Job,
	outer: AbortSignal
): Promise<Sleep | undefined> {
	const { id, userId: owner, blobId, sizeBytes, fileType, filename, progress: startAt } = claim.file;
	if (!(await deps.blobs.stat(`${blobId}/original`))) throw problem('file.lost');
	const scope = openScope(outer);
	const { signal, fail } = scope;
	const rates = await deps.rates.all();
	const progress = createProgress({
		weights: isReadOutside(deps, claim) ? outsideWeights : weightsFrom(rates, claim.file),
		startAt,
		expectedSeconds: isFirst(claim) ? secondsFrom(rates, claim.file) : undefined,
		write: claim.progress,
		fail
	});
	const checkpoints = createCheckpoints(deps.db, claim);
	const password = isFirst(claim) ? undefined : await deps.files.passwords.find(id);
	const warnings = collectWarnings();
	try {
		return await deps.scratch.use((scratchDir) =>
			deps.blobs.withLocalFile(`${blobId}/original`, async (original) => {
				const input = { path: original, sizeBytes, fileType, filename, scratchDir, signal, password, owner };
				const work = { ...deps, claim, scope, progress, checkpoints, input, warn: warnings.add };
				const reading = await readOutside(work, job.attempt);
				if (reading.sleep) return reading.sleep;
				await workOn({ ...work, stages: reading.stages }, deps.cut, warnings);
				return undefined;
			})
		);
	} finally {
		await progress.close();
	}
}

async function workOn(work: Work, cut: ChunkPages, warnings: Warnings): Promise<void> {
	const { scope, claim, progress } = work;
	let pageCount: number | null = null;
	async function* counted(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
		for await (const page of pages) {
			if (page.number !== null) pageCount = Math.max(pageCount ?? 0, page.number);
			if (page.warning) warnings.add(page.warning);
			yield page;
		}
	}
	const [, chunkCount] = await Promise.all([
		scope.run(() => compress(work)),
		scope.run(() => embedPages(work, counted(readPages(work)), cut))
	]);
	scope.signal.throwIfAborted();
	if (!chunkCount) warnings.nothingRead(whatIsMissing(work));
	await progress.close();
	const seconds = took(progress);
	const { model } = work.embedder;
	await claim.complete(
		{ pageCount, chunkCount: chunkCount ?? 0, warnings: warnings.list(pageCount) },
		work.checkpoints.finish('embedding', { model, ...(isFirst(claim) && { took: seconds }) })
	);
	await forgetPages(work, claim.file.blobId);
	if (isFirst(claim)) await work.rates.learn(claim.file, seconds);
}

function whatIsMissing(work: Work): ErrorCode {
	if (isReadOutside(work, work.claim)) return 'processor.nothing_searchable';
	return work.input.fileType === 'application/pdf' ? 'pdf.no_text' : 'text.no_text';
}

/** Nothing of it was done before, which would say nothing about other files; and a password comes with a retry only. */
function isFirst({ attempt }: Claim): boolean {
	return attempt === 1;
}

function took(progress: Progress): Took {
	const compression = progress.secondsUntil('compression');
	const extraction = progress.secondsUntil('extraction');
	const embedding = progress.secondsUntil('embedding');
	return { compression, extraction, embedding, total: Math.max(compression, extraction, embedding) };
}

function isPassing({ code }: AppError): boolean {
	return passing.has(code);
}

/** The longer it has waited for its twin, the less often it asks. */
function patience(waitedSeconds: number): number {
	return Math.ceil(Math.min(30, Math.max(1, waitedSeconds / 2)));
}
