// What every command is handed.
import type { Api } from '#lib/client/api.ts';
import type { Connection } from '#lib/client/connect.ts';
import { UsageError } from './exit.ts';
import type { Output } from './output.ts';

export type Context = {
	server: Connection;
	api: Api;
	out: Output;
	/** Ctrl C. */
	signal: AbortSignal;
	/** Where paths begin. */
	folder: string;
	env: Record<string, string | undefined>;
};

export const toId = (given: string): string => idOf(given, 'asura list shows those of files');

/** Also an empty one is wrong: a script's missing variable must not stand for one's own files. */
export const toProject = (given: string): string =>
	idOf(given, "a project's is at the end of its page's address");

function idOf(given: string, whereToFind: string): string {
	if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given)) return given.toLowerCase();
	throw new UsageError(`${given} is no id; ${whereToFind}.`);
}

export function atLeastOne(given: readonly string[], what: string): readonly string[] {
	if (given.length === 0) throw new UsageError(`Name ${what}.`);
	return given;
}
