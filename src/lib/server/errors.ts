// The one kind of error that is thrown on purpose. Its code decides status and words (shared/errors.ts);
// hooks.server.ts is the only place that turns it into a response.
import type { ServerResponse } from 'node:http';
import { type ErrorBody, type ErrorCode, findProblem, problems } from '#lib/shared/errors.ts';

export class AppError extends Error {
	override readonly name = 'AppError';
	readonly code: ErrorCode;
	readonly status: number;
	readonly details: Record<string, unknown> | undefined;
	/** Response headers that belong to the failure, such as Retry-After. */
	readonly headers: Record<string, string>;

	constructor(code: ErrorCode, message: string, options: ProblemOptions) {
		super(message, { cause: options.cause });
		this.code = code;
		this.status = problems[code].status;
		this.details = options.details;
		this.headers = options.headers ?? {};
	}
}

export type ProblemOptions = {
	cause?: unknown;
	details?: Record<string, unknown>;
	headers?: Record<string, string>;
	/** Replaces the code's own sentence where a number or a name helps. */
	message?: string;
};

export function problem(code: ErrorCode, options: ProblemOptions = {}): AppError {
	return new AppError(code, options.message ?? problems[code].message, options);
}

/** Errors cross worker threads as plain objects; this finds the code again. */
export function toAppError(error: unknown): AppError {
	if (error instanceof AppError) return error;
	const code = readCode(error);
	if (code) return problem(code, { cause: error, message: messageOf(error) });
	return problem('server.unexpected', { cause: error });
}

export function errorBody(error: AppError, requestId: string): ErrorBody {
	const body: ErrorBody = { code: error.code, message: error.message, requestId };
	return error.details ? { ...body, details: error.details } : body;
}

/** For whoever answers without Kit. */
export function writeProblem(
	response: ServerResponse,
	error: AppError,
	{ requestId, headers = [] }: { requestId: string; headers?: Iterable<[string, string]> }
): void {
	response.writeHead(error.status, {
		...Object.fromEntries(headers),
		'content-type': 'application/json',
		'cache-control': 'no-store',
		'x-request-id': requestId,
		...error.headers
	});
	response.end(JSON.stringify(errorBody(error, requestId)));
}

export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function readCode(error: unknown): ErrorCode | undefined {
	if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
	const { code } = error;
	return typeof code === 'string' && findProblem(code) ? (code as ErrorCode) : undefined;
}
