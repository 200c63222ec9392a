// asura events: the live stream, line by line, until Ctrl C.
import { nowLine } from '#lib/client/words.ts';
import { StreamMessage } from '#lib/shared/events.ts';
import * as v from 'valibot';
import type { Context } from './context.ts';
import { type Exit, exits } from './exit.ts';
import { follow, type Message } from './follow.ts';
import { harmless, type Output } from './output.ts';

export async function events(
	{ server, out, signal }: Context,
	{ cursor, project }: { cursor?: string | undefined; project?: string | undefined }
): Promise<Exit> {
	const onLost = () => out.note('The connection is gone; trying again.');
	for await (const message of follow(server, { project, cursor, signal, onLost })) {
		const line = lineOf(message, out);
		if (out.isJson || line !== undefined) out.tell(line ?? '', message);
	}
	return exits.interrupted;
}

/** undefined: nothing that a person would want to read. */
function lineOf(message: Message, out: Output): string | undefined {
	const told = v.safeParse(StreamMessage, message);
	const line = (what: string, rest: string) => `${out.dim(message.timestamp)}  ${what.padEnd(11)}  ${rest}`;
	if (!told.success) return line(message.eventType, harmless(JSON.stringify(message)));
	const known = told.output;
	switch (known.eventType) {
		case 'file-update':
			return line(known.file.status, `${harmless(known.file.filename)}: ${nowLine(known.file)}`);
		case 'file-deleted':
			return line('deleted', known.file.id);
		case 'bye':
			return line('bye', known.reason);
		case 'snapshot':
			return line('snapshot', `${known.files.length} files`);
		case 'connected':
		case 'heartbeat':
		case 'reset':
			return undefined;
	}
}
