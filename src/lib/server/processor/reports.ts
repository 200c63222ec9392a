// Reports of the processor. They come in any order, twice, late, or from somebody else; each has its answer
// (docs/processors.md), and only what is new and expected changes the file.
import * as v from 'valibot';
import {
	pagesOf,
	type ProcessingReport,
	reportStatuses,
	type ReportResult,
	type ReportStatus
} from '#lib/shared/processing-report.ts';
import { problem } from '../errors.ts';
import type { Bell } from '../files/bell.ts';
import { writeOutsideProgress } from '../files/outside.ts';
import type { Db, Tx } from '../platform/platform.ts';
import { barOf } from './bar.ts';
import { lockRun, type RunOfFile } from './runs.ts';

export type ReportsDeps = {
	db: Db;
	bell: Bell;
	/** The file's job, which was put off, goes on. */
	wake: (tx: Tx, fileId: string) => Promise<void>;
};

/** `runId`: of the job that is reported on, where the caller knows it. */
export async function takeReport(
	{ db, bell, wake }: ReportsDeps,
	report: ProcessingReport,
	runId: string | undefined
): Promise<ReportResult> {
	const fileId = report.documentId;
	if (!v.is(v.pipe(v.string(), v.uuid()), fileId)) throw problem('file.not_found');
	const { result, userId } = await db.tx(async (tx) => {
		const run = await lockRun(tx, fileId);
		if (!run) throw problem('file.not_found');
		const result = judge(run, report, runId);
		if (isAtWork(run))
			await tx.query('update asura.processor_runs set heard_at = now() where id = $1', [run.id]);
		if (result === 'accepted') await accept(tx, run, report);
		return { result, userId: run.userId };
	});
	bell.ring(userId);
	return result;

	async function accept(tx: Tx, run: RunOfFile, report: ProcessingReport): Promise<void> {
		const { status, message, metadata } = report;
		const pages = pagesOf(report);
		const isDecided =
			status === 'failed' || status === 'embedded' || (status === 'parsed' && pages !== undefined);
		const params = [run.id, status, message, pages === undefined ? null : JSON.stringify(pages), isDecided];
		await tx.query(acceptSql, params);
		// With a text, what is left is Asura's own part.
		const bar = pages ? barOf('parsed') : barOf(status, metadata?.progress);
		if (status !== 'failed') await writeOutsideProgress(tx, { fileId, ...bar });
		if (isDecided) await wake(tx, fileId);
	}
}

function judge(run: RunOfFile, report: ProcessingReport, runId: string | undefined): ReportResult {
	const { status } = report;
	const isSame = status === run.status;
	if (runId !== undefined && runId !== run.id) throw problem('processor.not_waiting');
	if (!isAtWork(run)) {
		if (isSame) return 'repeated';
		throw problem('processor.not_waiting');
	}
	if (run.isDecided) return isSame ? 'repeated' : 'outdated';
	if (run.status !== null && status !== 'failed' && rankOf(status) < rankOf(run.status)) return 'outdated';
	// Further in the same stage, or the text that had not come with it.
	const isFurther = status === 'parsing' || status === 'embedding' || pagesOf(report) !== undefined;
	return isSame && !isFurther ? 'repeated' : 'accepted';
}

function isAtWork({ fileStatus, fileAttempt, queuedAttempt }: RunOfFile): boolean {
	return fileStatus === 'processing' && fileAttempt === queuedAttempt;
}

function rankOf(status: ReportStatus): number {
	return reportStatuses.indexOf(status);
}

const acceptSql = `
	update asura.processor_runs set status = $2, message = $3, pages = coalesce($4::text::jsonb, pages),
		is_decided = $5::boolean
	where id = $1`;
