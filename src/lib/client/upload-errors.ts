// What an ending of an upload means, for every program that sends: whether trying again can help, and in our words what
// tus-js-client says.
import { findProblem } from '#lib/shared/errors.ts';
import { ApiError, offline, refusal } from './api.ts';

/** The line is broken, the server restarts, or an earlier request of ours is still being ended there. */
export function isPassing({ status, code }: ApiError): boolean {
	return (
		code === 'network.unreachable' ||
		[423, 502, 503, 504].includes(status) ||
		code === 'upload.interrupted' ||
		code === 'upload.offset_conflict'
	);
}

/** The upload is gone from the server. */
export function isGone({ code }: ApiError): boolean {
	// Of a project that one may not add to any more, nothing stays either.
	if (code === 'project.not_found' || code === 'project.forbidden') return true;
	return code !== 'upload.interrupted' && findProblem(code)?.kept === 'Nothing was stored.';
}

export function toApiError(error: unknown): unknown {
	if (!(error instanceof Error) || !('originalResponse' in error)) return error;
	const answer = error.originalResponse;
	if (!isAnswer(answer)) return new ApiError(offline, 0, error);
	const code = answer.getHeader('Asura-Error');
	const problem = findProblem(code ?? null);
	if (code && problem) return new ApiError({ code, message: problem.message }, answer.getStatus(), error);
	return refusal(answer.getBody(), answer.getStatus());
}

type Answer = { getStatus(): number; getBody(): string; getHeader(name: string): string | undefined };

function isAnswer(value: unknown): value is Answer {
	return typeof value === 'object' && value !== null && 'getStatus' in value;
}
