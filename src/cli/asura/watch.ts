// The files of this upload on the live stream, which is opened before the first one is sent: nothing is missed.
import { isTerminal, type StoredFile } from '#lib/shared/files.ts';
import type { Context } from './context.ts';
import { follow, type Message } from './follow.ts';

type Waiting = { file: StoredFile; resolve: (file: StoredFile | undefined) => void };

type Options = { project: string | undefined; onMoved: (file: StoredFile) => void };

export async function watchFiles({ api, server, signal }: Context, { project, onMoved }: Options) {
	const stop = new AbortController();
	const { cursor } = await api.list({ limit: 1, project });
	const waiting = new Map<string, Waiting>();
	/** What the stream said before the upload's own answer came. */
	const early = new Map<string, StoredFile>();

	function take(file: StoredFile): void {
		const known = waiting.get(file.id);
		if (!known) return void early.set(file.id, file);
		if (file.rev < known.file.rev) return;
		known.file = file;
		onMoved(file);
		if (!isTerminal(file.status)) return;
		waiting.delete(file.id);
		known.resolve(file);
	}

	function hear(message: Message): void {
		if (message.eventType === 'file-update' && 'file' in message && 'status' in message.file)
			take(message.file);
		if (message.eventType === 'snapshot' && 'files' in message) message.files.forEach(take);
		if (message.eventType !== 'file-deleted' || !('file' in message)) return;
		waiting.get(message.file.id)?.resolve(undefined);
		waiting.delete(message.file.id);
	}

	let failure: unknown;
	const releaseAll = () => {
		for (const { resolve } of waiting.values()) resolve(undefined);
		waiting.clear();
	};
	const listening = (async () => {
		const ended = AbortSignal.any([signal, stop.signal]);
		for await (const message of follow(server, { project, cursor, signal: ended })) hear(message);
	})()
		.catch((error: unknown) => void (failure = error))
		.finally(releaseAll);

	return {
		/** The file as it ended; undefined when it was deleted or nobody watches any more. */
		ended(file: StoredFile): Promise<StoredFile | undefined> {
			if (failure !== undefined || signal.aborted) return Promise.resolve(undefined);
			return new Promise((resolve) => {
				waiting.set(file.id, { file, resolve });
				const newer = early.get(file.id);
				early.delete(file.id);
				take(newer && newer.rev > file.rev ? newer : file);
			});
		},

		/** Throws what ended the watching. */
		async close(): Promise<void> {
			stop.abort();
			await listening;
			if (failure !== undefined) throw failure;
		}
	};
}
