// How numbers, dates and what is happening are said to a person. Pure: the same words in every place that shows them.
import { findProblem } from '#lib/shared/errors.ts';
import { type Activity, alsoUnderWay, type Stage, type StoredFile } from '#lib/shared/files.ts';
import { readableTypes } from '#lib/shared/limits.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
const whole = new Intl.NumberFormat('en');
const shortDate = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const longDate = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'medium' });

export function size(bytes: number): string {
	const { value, unit } = scaled(bytes);
	return `${value} ${unit}`;
}

/** "12.4 → 3.1 MB"; the unit is said once when both share it. */
export function sizeChange(from: number, to: number): string {
	const before = scaled(from);
	return before.unit === scaled(to).unit ? `${before.value} → ${size(to)}` : `${size(from)} → ${size(to)}`;
}

/** "3.1 of 12.4 MB", both in the unit of the whole. */
export function sizeOf(done: number, total: number): string {
	const { exponent } = scaled(total);
	return `${scaled(Math.min(done, total), exponent).value} of ${size(total)}`;
}

export function number(n: number): string {
	return whole.format(n);
}

export function count(n: number, noun: string): string {
	return `${whole.format(n)} ${n === 1 ? noun : `${noun}s`}`;
}

export function duration(seconds: number): string {
	if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
	// In steps of five, so that the words stay calm while the estimate moves.
	if (seconds < 90) return `${Math.round(seconds / 5) * 5} s`;
	if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
	return `${whole.format(Math.round(seconds / 3600))} h`;
}

export function ordinal(n: number): string {
	const lastTwo = n % 100;
	const ending = lastTwo >= 11 && lastTwo <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
	return `${whole.format(n)}${ending}`;
}

export function relativeDate(iso: string, now: number): string {
	const seconds = (now - Date.parse(iso)) / 1000;
	if (seconds < 45) return 'just now';
	if (seconds < 45 * 60) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
	if (seconds < 24 * 3600) return `${Math.round(seconds / 3600)} h ago`;
	if (seconds < 48 * 3600) return 'yesterday';
	if (seconds < 7 * 24 * 3600) return `${Math.floor(seconds / 86_400)} days ago`;
	return shortDate.format(new Date(iso));
}

export function exactDate(iso: string): string {
	return longDate.format(new Date(iso));
}

export function typeName(fileType: string): string {
	return readableTypes[fileType] ?? fileType;
}

/** "PDF, Word, text, Markdown, HTML and pictures, up to 2.1 GB each" */
export function acceptedLine(maxFileBytes: number): string {
	const documents = Object.entries(readableTypes).filter(([type]) => !type.startsWith('image/'));
	const names = new Set(documents.map(([, name]) => (name === 'Text' ? 'text' : name)));
	return `${[...names].join(', ')} and pictures, up to ${size(maxFileBytes)} each`;
}

/** Where there is little room. */
export function shortAcceptedLine(maxFileBytes: number): string {
	return `Documents and pictures, up to ${size(maxFileBytes)} each`;
}

/** "12.4 MB · Trips/2026" */
export function inFolder(line: string, folder: string): string {
	return folder === '' ? line : `${line} · ${folder}`;
}

/** "12.4 → 3.1 MB, 41 pages" */
export function metaLine(file: Pick<StoredFile, 'size_bytes' | 'compressed_bytes' | 'page_count'>): string {
	const { size_bytes, compressed_bytes, page_count } = file;
	const isSmaller = compressed_bytes !== null && compressed_bytes < size_bytes;
	const bytes = isSmaller ? sizeChange(size_bytes, compressed_bytes) : size(size_bytes);
	return page_count ? `${bytes}, ${count(page_count, 'page')}` : bytes;
}

/** "3.1 MB, 41 pages": as it is kept now. */
export function shortMetaLine(
	file: Pick<StoredFile, 'size_bytes' | 'compressed_bytes' | 'page_count'>
): string {
	const { size_bytes, compressed_bytes } = file;
	return metaLine({ ...file, size_bytes: Math.min(size_bytes, compressed_bytes ?? size_bytes) });
}

/** What is happening to a file, in one line. */
export function nowLine(file: StoredFile): string {
	if (file.status === 'completed') return completedLine(file);
	if (file.status === 'cancelled') return 'Cancelled';
	if (file.status === 'failed') return failureOf(file).happened;
	const isPending = file.status === 'pending';
	// Beside a wait that somebody else decides on, any time would be a guess.
	const isGuess = file.eta_seconds === null || file.activity?.unit === 'seconds_waiting';
	const left = isGuess ? [] : [`about ${duration(file.eta_seconds ?? 0)} left`];
	const doing = isPending ? waitingLine(file.queue_position) : stageLine(file);
	// Where there is little room the line is cut: what matters least stands last.
	return [doing, ...left, ...(isPending ? [] : alsoLine(file))].join(' · ');
}

export type Failure = { happened: string; kept: string; action: string; canRetry: boolean };

/** The three lines of a failure: what happened, what was kept, what helps. */
export function failureOf(file: Pick<StoredFile, 'error_code' | 'error_message'>): Failure {
	const problem = findProblem(file.error_code);
	return {
		happened: file.error_message ?? problem?.message ?? 'Processing stopped.',
		kept: problem?.kept ?? 'The original is kept.',
		action: problem?.action ?? 'Retry.',
		canRetry: problem?.retry ?? true
	};
}

/** A word of the text that is worth searching for: the longest one near its beginning. */
export function wordToTry(text: string): string | undefined {
	const words = text.slice(0, 4000).match(/\p{L}{5,14}/gu) ?? [];
	return words.reduce<string | undefined>(
		(best, word) => (best === undefined || word.length > best.length ? word : best),
		undefined
	);
}

function completedLine({ chunk_count, warnings }: StoredFile): string {
	const [warning] = warnings;
	if (chunk_count === 0) return `Kept · ${warning?.message ?? 'No text was found in it.'}`;
	return warning ? `Searchable · ${warning.message}` : 'Searchable';
}

function waitingLine(position: number | null): string {
	if (position === null) return 'Waiting to start';
	return position <= 1 ? 'Next in line' : `${ordinal(position)} in line`;
}

function alsoLine(file: StoredFile): string[] {
	const others = file.activity?.unit === 'seconds_waiting' ? [] : alsoUnderWay(file);
	return others.length === 0 ? [] : [`also ${others.map((stage) => verbs[stage]).join(', ')}`];
}

/** Stages overlap: this is the earliest that is not finished. */
function stageLine(file: StoredFile): string {
	const doing = earliestLine(file);
	if (file.activity?.unit === 'seconds_waiting') return doing;
	const isLast = file.processing_stage !== 'embedding' && file.stage_progress.embedding === 1;
	return isLast ? `${doing}, the last step` : doing;
}

const verbs: Record<Stage, string> = {
	upload: 'starting',
	compression: 'compressing',
	extraction: 'reading',
	chunking: 'cutting',
	embedding: 'embedding'
};

function earliestLine({ processing_stage, activity }: StoredFile): string {
	if (activity?.unit === 'seconds_waiting') {
		const seconds = Math.max(1, Math.ceil((activity.total ?? 0) - activity.done));
		return activity.total === null
			? 'Waiting for the provider'
			: `Waiting ${whole.format(seconds)} s for the provider`;
	}
	switch (processing_stage) {
		case 'compression':
			return amount('Compressing', activity);
		case 'extraction':
			return amount('Reading', activity);
		case 'chunking':
			return amount('Cutting into passages', activity);
		case 'embedding':
			return amount('Embedding', activity);
		case 'upload':
		case null:
			return 'Starting';
	}
}

function amount(verb: string, activity: Activity | null): string {
	if (activity === null) return verb;
	const { unit, done, total } = activity;
	if (unit === 'bytes')
		return total === null ? `${verb}, ${size(done)} so far` : `${verb} ${sizeOf(done, total)}`;
	const noun = unit === 'pages' ? 'page' : 'passage';
	if (total === null) return `${verb}, ${count(done, noun)} so far`;
	if (done === 0) return `${verb} ${count(total, noun)}`;
	return `${verb} ${noun} ${whole.format(Math.min(done, total))} of ${whole.format(total)}`;
}

function scaled(bytes: number, exponent = exponentOf(bytes)) {
	const value = bytes / 1000 ** exponent;
	const digits = exponent === 0 || value >= 99.95 ? 0 : 1;
	return { value: whole.format(Number(value.toFixed(digits))), unit: units[exponent] ?? 'TB', exponent };
}

function exponentOf(bytes: number): number {
	let exponent = 0;
	// 999,950 bytes would be said as "1,000 kB": the next unit begins where rounding reaches it.
	while (exponent < units.length - 1 && bytes >= 999.5 * 1000 ** exponent) exponent += 1;
	return exponent;
}
