// How the command line ends, for scripts (docs/cli.md).
import { ApiError, offline } from '#lib/client/api.ts';

export const exits = {
	done: 0,
	/** Something that was asked for did not succeed, or nothing was found. */
	failed: 1,
	usage: 2,
	/** No key, or not one for this. */
	refused: 3,
	unreachable: 4,
	notFound: 5,
	/** A file that was asked about is not finished. */
	working: 6,
	interrupted: 130
} as const;
export type Exit = (typeof exits)[keyof typeof exits];

/** A wrong call: one sentence for the person who made it. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
}

export function exitOf(error: unknown): Exit {
	if (error instanceof UsageError) return exits.usage;
	if (!(error instanceof ApiError)) return exits.failed;
	if (error.code === offline.code) return exits.unreachable;
	if (error.status === 401 || error.status === 403) return exits.refused;
	return error.status === 404 ? exits.notFound : exits.failed;
}
