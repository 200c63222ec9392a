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

export function toId(given: string): string {
	if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given)) return given.toLowerCase();
	throw new UsageError(`${given} is no id; asura list shows those of files.`);
}

export function atLeastOne(given: readonly string[], what: string): readonly string[] {
	if (given.length === 0) throw new UsageError(`Name ${what}.`);
	return given;
}
