// What an external processor says of a file that it works on (docs/processors.md).
import * as v from 'valibot';
import { limits } from './limits.ts';

/** In the order in which they come; `failed` can come at any time. */
export const reportStatuses = [
	'parsing_started',
	'parsing',
	'parsed',
	'embedding',
	'embedded',
	'failed'
] as const;
export const ReportStatus = v.picklist(reportStatuses);
export type ReportStatus = v.InferOutput<typeof ReportStatus>;

/** A database keeps neither NUL nor halves of characters. */
const Text = v.pipe(
	v.string(),
	v.transform((text) => text.replaceAll('\0', '').toWellFormed())
);

export const ReportedPage = v.object({
	number: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(limits.maxPdfPages))),
	text: Text
});
export type ReportedPage = v.InferOutput<typeof ReportedPage>;

const Metadata = v.object({
	/** Of the stage that the status names. */
	progress: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100))),
	text: v.optional(Text),
	pages: v.optional(v.pipe(v.array(ReportedPage), v.maxLength(limits.maxPdfPages)))
});

export const ProcessingReport = v.object({
	documentId: v.pipe(v.string(), v.maxLength(100)),
	status: ReportStatus,
	message: v.optional(
		v.pipe(
			Text,
			v.transform((text) => text.slice(0, 500).toWellFormed())
		),
		''
	),
	metadata: v.optional(v.nullable(Metadata))
});
export type ProcessingReport = v.InferOutput<typeof ProcessingReport>;
export const ProcessingReportJson = v.pipe(v.string(), v.parseJson(), ProcessingReport);

/** undefined: it says nothing of a text; empty: there is none. */
export function pagesOf({ metadata }: ProcessingReport): ReportedPage[] | undefined {
	if (metadata?.pages) return metadata.pages;
	return metadata?.text === undefined ? undefined : [{ number: null, text: metadata.text }];
}

export const ReportResult = v.picklist(['accepted', 'repeated', 'outdated']);
export type ReportResult = v.InferOutput<typeof ReportResult>;
export const ReportAnswer = v.object({ result: ReportResult });
/** `run`: the job that is reported on, as its own address says it. */
export const ReportQuery = v.object({ run: v.optional(v.string()) });

/** What the processor is sent. */
export type ProcessingJob = {
	documentId: string;
	filename: string;
	file_type: string;
	size_bytes: number;
	download_url: string;
	callback_url: string;
};
