// What a failed call means: wait, try again, split, or give up.
import { APIConnectionError, APIError } from 'openai';
import { ValiError } from 'valibot';
import { messageOf } from '#lib/server/errors.ts';

export type Failure =
	/** Too many requests; the provider may say for how long. */
	| { kind: 'limited'; retryAfterMs: number | undefined }
	/** It may work in a moment. */
	| { kind: 'unreachable'; retryAfterMs: number | undefined }
	/** It answered, but not what was asked. */
	| { kind: 'bad_answer' }
	/** It understood and refuses these texts. */
	| { kind: 'refused' }
	/** It refuses us, or has no such model: nothing we send changes that. */
	| { kind: 'fatal' };

export class BadAnswer extends Error {
	override readonly name = 'BadAnswer';
}

export function classify(error: unknown): Failure {
	if (error instanceof BadAnswer || error instanceof SyntaxError || error instanceof ValiError)
		return { kind: 'bad_answer' };
	if (error instanceof APIConnectionError) return { kind: 'unreachable', retryAfterMs: undefined };
	if (!(error instanceof APIError)) return { kind: 'bad_answer' };
	const { status } = error;
	const retryAfterMs = readRetryAfter(error.headers);
	if (status === 429)
		return error.code === 'insufficient_quota' ? { kind: 'fatal' } : { kind: 'limited', retryAfterMs };
	if (status === undefined || status >= 500 || status === 408 || status === 409)
		return { kind: 'unreachable', retryAfterMs };
	if (status === 400 || status === 413 || status === 422) return { kind: 'refused' };
	return { kind: 'fatal' };
}

/** The provider's own words, without anything that looks like a key. */
export function reasonOf(error: unknown, apiKey: string): string {
	const words = messageOf(error)
		.replaceAll(apiKey, '(hidden)')
		.replace(/\b(sk|pk|key)-[\w*-]{4,}/gi, '(hidden)');
	return words.slice(0, 300);
}

/** Seconds or a date, as HTTP allows; milliseconds where the provider is more precise. */
function readRetryAfter(headers: Headers | undefined): number | undefined {
	const ms = Number(headers?.get('retry-after-ms') ?? Number.NaN);
	if (ms >= 0) return ms;
	const value = headers?.get('retry-after');
	if (!value) return undefined;
	const seconds = Number(value);
	if (seconds >= 0) return seconds * 1000;
	const date = Date.parse(value);
	return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
