import { describe, expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import {
	count,
	duration,
	failureOf,
	metaLine,
	nowLine,
	ordinal,
	relativeDate,
	shortMetaLine,
	size,
	sizeChange,
	sizeOf,
	wordToTry
} from './words.ts';

describe('sizes', () => {
	it.each([
		[0, '0 B'],
		[999, '999 B'],
		[1000, '1 kB'],
		[12_400_000, '12.4 MB'],
		[999_960, '1 MB'],
		[147_000_000, '147 MB'],
		[2 * 1024 ** 3, '2.1 GB']
	])('%d bytes are said as %s', (bytes, words) => expect(size(bytes)).toBe(words));

	it('say a shared unit once', () => {
		expect(sizeChange(12_400_000, 3_100_000)).toBe('12.4 → 3.1 MB');
		expect(sizeChange(1_200_000, 300_000)).toBe('1.2 MB → 300 kB');
	});

	it('use the unit of the whole for its part, and never more than the whole', () => {
		expect(sizeOf(310_000, 12_400_000)).toBe('0.3 of 12.4 MB');
		expect(sizeOf(13_000_000, 12_400_000)).toBe('12.4 of 12.4 MB');
	});
});

describe('counts and durations', () => {
	it('group thousands and know the plural', () => {
		expect(count(1, 'page')).toBe('1 page');
		expect(count(2415, 'page')).toBe('2,415 pages');
	});

	it.each([
		[0.2, '1 s'],
		[7.6, '8 s'],
		[41, '40 s'],
		[89, '90 s'],
		[190, '3 min'],
		[7300, '2 h']
	])('%d seconds are %s', (seconds, words) => expect(duration(seconds)).toBe(words));

	it.each([
		[1, '1st'],
		[2, '2nd'],
		[3, '3rd'],
		[4, '4th'],
		[11, '11th'],
		[112, '112th'],
		[1021, '1,021st']
	])('%d is %s', (n, words) => expect(ordinal(n)).toBe(words));
});

describe('dates', () => {
	const now = Date.parse('2026-11-20T12:00:00Z');
	it.each([
		['2026-11-20T11:59:40Z', 'just now'],
		['2026-11-20T12:00:30Z', 'just now'],
		['2026-11-20T11:55:00Z', '5 min ago'],
		['2026-11-20T09:00:00Z', '3 h ago'],
		['2026-11-19T10:00:00Z', 'yesterday'],
		['2026-11-16T10:00:00Z', '4 days ago'],
		['2026-10-03T10:00:00Z', '3 Oct 2026']
	])('%s is %s', (iso, words) => expect(relativeDate(iso, now)).toBe(words));
});

describe('the line of what is happening now', () => {
	it('counts pages while a file is read, with what is left', () => {
		const activity = { unit: 'pages' as const, done: 412, total: 2415 };
		expect(nowLine(aFile({ activity, eta_seconds: 41 }))).toBe('Reading page 412 of 2,415 · about 40 s left');
	});

	it('counts no page before the first one is done', () => {
		expect(nowLine(aFile({ activity: { unit: 'pages', done: 0, total: 41 } }))).toBe('Reading 41 pages');
	});

	it('does not pretend to know a total', () => {
		expect(nowLine(aFile({ activity: { unit: 'pages', done: 3, total: null } }))).toBe(
			'Reading, 3 pages so far'
		);
		expect(nowLine(aFile({ activity: null }))).toBe('Reading');
	});

	it('names the place in line', () => {
		const pending = { status: 'pending' as const, processing_stage: null };
		expect(nowLine(aFile({ ...pending, queue_position: 3 }))).toBe('3rd in line');
		expect(nowLine(aFile({ ...pending, queue_position: 1 }))).toBe('Next in line');
		expect(nowLine(aFile(pending))).toBe('Waiting to start');
	});

	it('says when the provider makes it wait', () => {
		const activity = { unit: 'seconds_waiting' as const, done: 0, total: 14 };
		const waiting = aFile({ processing_stage: 'embedding', activity, eta_seconds: 5 });
		expect(nowLine(waiting)).toBe('Waiting 14 s for the provider');
	});

	it('says what is missing of a file that was read in part, and claims nothing of one without text', () => {
		const done = { status: 'completed' as const, progress: 100, processing_stage: null };
		const message = '198 of 200 pages were read; 17 and 90 failed.';
		const partly = aFile({ ...done, chunk_count: 9, warnings: [{ code: 'file.damaged', message }] });
		expect(nowLine(partly)).toBe(`Searchable · ${message}`);
		expect(nowLine(aFile({ ...done, chunk_count: 0 }))).toBe('Kept · No text was found in it.');
	});

	it('says the end in one word', () => {
		expect(nowLine(aFile({ status: 'completed', progress: 100, processing_stage: null }))).toBe('Searchable');
		expect(nowLine(aFile({ status: 'cancelled' }))).toBe('Cancelled');
	});
});

describe('the meta line', () => {
	it('shows what compression saved, and pages', () => {
		expect(metaLine(aFile({ compressed_bytes: 3_100_000, page_count: 41 }))).toBe('12.4 → 3.1 MB, 41 pages');
	});
	it('says only what is kept where there is little room', () => {
		expect(shortMetaLine(aFile({ compressed_bytes: 3_100_000, page_count: 41 }))).toBe('3.1 MB, 41 pages');
		expect(shortMetaLine(aFile())).toBe('12.4 MB');
	});
	it('claims no saving where there is none', () => {
		expect(metaLine(aFile({ compressed_bytes: 12_400_000 }))).toBe('12.4 MB');
	});
});

describe('a failure', () => {
	it('has what happened, what was kept and what helps', () => {
		expect(failureOf({ error_code: 'pdf.encrypted', error_message: null })).toEqual({
			happened: 'The PDF is protected by a password.',
			kept: 'The original is kept.',
			action: 'Retry with its password.',
			canRetry: true
		});
	});
	it('of an unknown code still says something true', () => {
		expect(failureOf({ error_code: 'new.code', error_message: 'It broke.' }).happened).toBe('It broke.');
	});
});

describe('the word to try', () => {
	it('is the longest one near the beginning', () =>
		expect(wordToTry('A lantern in the harbour, 12345678')).toBe('lantern'));
	it('is none when there are no words', () => expect(wordToTry('1 2 3')).toBeUndefined());
});

describe('stages that overlap', () => {
	it('are named last, after what a narrow line must keep', () => {
		const stage_progress = { compression: null, extraction: 0.2, embedding: 0.1 };
		const file = aFile({ processing_stage: 'compression', stage_progress, eta_seconds: 42 });
		expect(nowLine(file)).toBe('Compressing · about 40 s left · also reading, embedding');
	});
	it('are all named, the earliest first; the last one that is left says so', () => {
		const pdf = aFile({ processing_stage: 'compression' });
		const line = (stage_progress: typeof pdf.stage_progress) => nowLine({ ...pdf, stage_progress });
		expect(line({ compression: null, extraction: 0.2 })).toBe('Compressing · also reading');
		expect(line({ compression: null, extraction: 1, chunking: 1, embedding: 0.4 })).toBe(
			'Compressing · also embedding'
		);
		expect(line({ compression: null, extraction: 1, chunking: 1, embedding: 1 })).toBe(
			'Compressing, the last step'
		);
		expect(line({ compression: null })).toBe('Compressing');
	});
});
