// Requests to a Supabase project's HTTP APIs: each with a time limit, tried again while the failure may pass.
//
// Storage hides its own status in the body: what is meant as 404, 429 or 544 arrives as 400 (docs/decisions/085).
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import type { Config } from '../../config.ts';
import { problem } from '../../errors.ts';

export type Project = NonNullable<Config['supabase']>;

export type Call = {
	method?: string;
	headers?: Record<string, string>;
	/** A body that can be sent again. */
	body?: string | Buffer<ArrayBuffer>;
	answerMs?: number;
};
type Read<T> = (response: Response, abort: AbortController) => T | Promise<T>;

const answerMs = 30_000;
const longestWaitMs = 10_000;
const passing = [408, 423, 425, 429];

const Refusal = v.object({
	statusCode: v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(Number))),
	code: v.optional(v.string()),
	error: v.optional(v.string()),
	message: v.optional(v.string())
});

export class RefusedBySupabase extends Error {
	override readonly name = 'RefusedBySupabase';
	readonly status: number;
	readonly reasons: readonly string[];
	readonly retryAfterMs: number;

	constructor(path: string, status: number, reasons: readonly string[], retryAfterMs: number) {
		super(`Supabase answered ${status} to ${path}: ${reasons.join(', ') || 'without a reason'}`);
		this.status = status;
		this.reasons = reasons;
		this.retryAfterMs = Math.min(retryAfterMs, longestWaitMs);
	}
}

export type ProjectHttp = ReturnType<typeof createProjectHttp>;

/** `retryMs`: the pauses before a request is tried again. Throws `server.unavailable` when all were in vain. */
export function createProjectHttp(
	project: Project,
	retryMs: readonly number[] = [250, 500, 1000, 2000, 4000]
) {
	const base = project.url.replace(/\/+$/, '');
	// A secret key of the new kind is no JWT; Storage takes it in this header all the same when both are equal.
	const keys = { apikey: project.secretKey, authorization: `Bearer ${project.secretKey}` };

	/** What `read` has not awaited when it returns is no part of the attempt: neither its time limit nor its repetition. */
	async function attempt<T>(path: string, call: Call, read: Read<T>): Promise<T> {
		const abort = new AbortController();
		const timer = setTimeout(() => abort.abort(new Error('no answer in time')), call.answerMs ?? answerMs);
		try {
			const response = await fetch(base + path, {
				method: call.method ?? 'GET',
				headers: { ...keys, ...call.headers },
				...(call.body !== undefined && { body: call.body }),
				signal: abort.signal
			});
			if (response.status >= 400) throw await readRefusal(path, response);
			return await read(response, abort);
		} finally {
			clearTimeout(timer);
		}
	}

	async function send<T>(path: string, call: Call, read: Read<T>): Promise<T> {
		for (const retry of [...retryMs, undefined]) {
			try {
				return await attempt(path, call, read);
			} catch (error) {
				if (!canPass(error)) throw error;
				if (retry === undefined) throw problem('server.unavailable', { cause: error });
				const asked = error instanceof RefusedBySupabase ? error.retryAfterMs : 0;
				await pause(Math.max(retry * (0.5 + Math.random()), asked));
			}
		}
		throw new Error('unreachable');
	}

	return {
		base,
		send,
		json: <T extends v.GenericSchema>(path: string, schema: T, call: Call = {}) =>
			send(path, call, async (response): Promise<v.InferOutput<T>> => v.parse(schema, await response.json())),
		/** For answers that say everything in their headers. */
		headers: (path: string, call: Call) =>
			send(path, call, async (response) => {
				await response.arrayBuffer();
				return response.headers;
			})
	};
}

function canPass(error: unknown): boolean {
	if (error instanceof RefusedBySupabase) return error.status >= 500 || passing.includes(error.status);
	return !v.isValiError(error);
}

async function readRefusal(path: string, response: Response): Promise<RefusedBySupabase> {
	const { statusCode, code, error, message } = parseRefusal(await response.text());
	const reasons = [code, error, message].filter((one) => one !== undefined);
	const retryAfterMs = Number(response.headers.get('retry-after')) * 1000 || 0;
	return new RefusedBySupabase(path, statusCode || response.status, reasons, retryAfterMs);
}

function parseRefusal(text: string): v.InferOutput<typeof Refusal> {
	const read = v.safeParse(v.pipe(v.string(), v.parseJson(), Refusal), text);
	return read.success ? read.output : { message: text.slice(0, 200) };
}
