// A service of the operator's that reads files of some types (docs/processors.md, docs/decisions/100). The pipeline
// asks for a file's reading: it is there, or the file's job sleeps until it is.
import type {
	ProcessingJob,
	ProcessingReport,
	ReportedPage,
	ReportResult
} from '#lib/shared/processing-report.ts';
import { type Attempts, createAttempts } from '../auth/attempts.ts';
import type { ProcessorConfig } from '../config.ts';
import { messageOf, problem } from '../errors.ts';
import type { Claim } from '../files/claim.ts';
import type { Content } from '../files/content.ts';
import type { Files } from '../files/files.ts';
import type { Tx } from '../platform/platform.ts';
import { type ReportsDeps, takeReport } from './reports.ts';
import { beginRun, findRun, lockDecision, markTaken, pagesOfRun, type Run } from './runs.ts';
import { createSigned, type Signed } from './signed.ts';

const reportPath = '/api/v1/events/webhook/document-processing';
const downloadPath = '/api/v1/processor';
const linkSeconds = 900;
const answerMs = 10_000;

export type ProcessorDeps = ReportsDeps & {
	config: ProcessorConfig;
	content: Files['content'];
};

/** `pages`: what was read. Otherwise the job sleeps (queue.ts). */
export type Reading = { pages: ReportedPage[] } | { sleep: Sleep };
export type Sleep = { inSeconds: number; isDue: (tx: Tx) => Promise<boolean> };

export type Caller = {
	headers: { get(name: string): string | null };
	address: string;
	read: () => Promise<string>;
};

export type Processor = ReturnType<typeof createProcessor>;

export function createProcessor(deps: ProcessorDeps) {
	const { config, db, content } = deps;
	const signed = createSigned(config.key);
	const guesses = createAttempts({ burst: 20, perSecond: 0.5 });
	const reports = createAttempts({ burst: 30, perSecond: 1 });
	const startedAt = performance.now();
	/** While nobody here could hear it, the processor was not silent. */
	const silenceOf = ({ silentSeconds }: Run) =>
		Math.min(silentSeconds, (performance.now() - startedAt) / 1000);

	return {
		takes: (fileType: string): boolean => takes(config.types, fileType),

		/**
		 * Of the job that the claim is for. `prepare` is called before the file is handed over. Throws when the processor
		 * failed, is silent or cannot be reached.
		 */
		async read(
			claim: Claim,
			queuedAttempt: number,
			{ signal, prepare }: { signal: AbortSignal; prepare: () => Promise<void> }
		): Promise<Reading> {
			const { id: fileId } = claim.file;
			const run = await findRun(db, fileId, queuedAttempt);
			if (run?.isDecided) return readingOf(run);
			if (run && (run.isTaken || run.status !== null)) {
				const silentSeconds = silenceOf(run);
				if (silentSeconds > config.timeoutSeconds) throw problem('processor.silent');
				return sleep(run.id, silentSeconds);
			}
			await prepare();
			const runId = await beginRun(db, fileId, queuedAttempt);
			await post(config, signed, jobOf(claim, runId), signal);
			await markTaken(db, runId);
			return sleep(runId, 0);
		},

		/** The body of a report whose sender has the key. It is not read before. */
		async admit({ headers, address, read }: Caller): Promise<string> {
			if (!signed.isKey(headers.get('x-webhook-key'))) refuse(guesses, address);
			const body = await read();
			const timestamp = headers.get('x-webhook-timestamp');
			const signature = headers.get('x-webhook-signature');
			if (!signed.isBody(body, { timestamp, signature })) refuse(guesses, address);
			return body;
		},

		/** `runId`: of the job that is reported on, where the caller says it. */
		async report(report: ProcessingReport, runId?: string): Promise<ReportResult> {
			reports.take(report.documentId);
			return takeReport(deps, report, runId);
		},

		async download(
			{ run, expires, signature }: { run: string; expires: string; signature: string },
			headers: { get(name: string): string | null }
		): Promise<Content> {
			if (!signed.isLink(run, expires, signature)) throw problem('request.not_found');
			const { rows } = await db.query<{ id: string; userId: string }>(downloadSql, [run]);
			if (!rows[0] || signed.isOver(expires)) throw problem('processor.link_expired');
			const { id, userId } = rows[0];
			const found = await content({ userId, id, variant: 'original', isInline: false, headers });
			return { ...found, headers: { ...found.headers, 'cache-control': 'private, no-store' } };
		}
	};

	async function readingOf({ id, status, message }: Run): Promise<Reading> {
		if (status !== 'failed') return { pages: await pagesOfRun(db, id) };
		throw problem(
			'processor.failed',
			message === '' ? {} : { message: `The service that reads this type of file: ${message}` }
		);
	}

	/** Until it is certain that the processor is silent, unless a report wakes the job. */
	function sleep(runId: string, silentSeconds: number): Reading {
		const inSeconds = Math.ceil(config.timeoutSeconds - silentSeconds) + 1;
		return { sleep: { inSeconds, isDue: (tx) => lockDecision(tx, runId) } };
	}

	function jobOf({ file }: Claim, runId: string): ProcessingJob {
		return {
			documentId: file.id,
			filename: file.filename,
			file_type: file.fileType,
			size_bytes: file.sizeBytes,
			download_url: `${config.ownOrigin}${downloadPath}/${signed.link(runId, linkSeconds)}`,
			callback_url: `${config.ownOrigin}${reportPath}?run=${runId}`
		};
	}
}

/** `audio/*` stands for all of its kind. */
export function takes(types: readonly string[], fileType: string): boolean {
	return types.includes(fileType) || types.includes(`${fileType.split('/', 1)[0]}/*`);
}

function refuse(guesses: Attempts, address: string): never {
	guesses.take(address);
	throw problem('processor.refused');
}

async function post(
	{ url }: ProcessorConfig,
	signed: Signed,
	job: ProcessingJob,
	signal: AbortSignal
): Promise<void> {
	const body = JSON.stringify(job);
	let reason: string;
	try {
		const answer = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...signed.headersFor(body) },
			body,
			redirect: 'error',
			signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
		});
		// Nothing of it is of interest.
		await answer.body?.cancel();
		if (answer.ok) return;
		reason = `It answered ${answer.status}.`;
	} catch (error) {
		signal.throwIfAborted();
		reason = messageOf(error);
	}
	throw problem('processor.unreachable', { details: { reason } });
}

/** Only while the processor has to read it. */
const downloadSql = `
	select f.id::text, f.user_id::text as "userId" from asura.processor_runs r join public.files f on f.id = r.file_id
	where r.id::text = $1 and not r.is_decided and f.status = 'processing' and f.queued_attempt = r.queued_attempt`;
