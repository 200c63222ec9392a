// asura upload: sends files, a few at a time, and with --watch stays until each one has ended.
import { ApiError } from '#lib/client/api.ts';
import { segmentsOf, sendingSegments } from '#lib/client/track.ts';
import { nowLine, size, sizeOf } from '#lib/client/words.ts';
import { isTerminal, type StoredFile } from '#lib/shared/files.ts';
import { type Bar, createBars } from './bars.ts';
import { openBegun, stateFolder } from './begun.ts';
import { atLeastOne, type Context } from './context.ts';
import { type Exit, exitOf, exits } from './exit.ts';
import { harmless } from './output.ts';
import { bySize, createSendMultipart, type Source } from './send.ts';
import { createSendResumable } from './send-resumable.ts';
import { sourcesOf } from './sources.ts';
import { watchFiles } from './watch.ts';

const atOnce = 3;

type Options = { watch?: boolean | undefined; name?: string | undefined; project?: string | undefined };
type Sent = { source: Source; file: StoredFile };

export async function upload(
	context: Context,
	given: readonly string[],
	{ watch: isWatching = false, name: stdinName = 'standard-input.txt', project }: Options
): Promise<Exit> {
	const { server, out, signal, env } = context;
	const begun = openBegun(stateFolder(env));
	const send = bySize(createSendMultipart(project), createSendResumable(begun, project));
	atLeastOne(given, 'files or folders, or - for standard input');
	const teller = createTeller(context, isWatching);
	const watch = isWatching
		? await watchFiles(context, { project, onMoved: (file) => teller.moved(file) })
		: undefined;
	const ending: Promise<StoredFile | undefined>[] = [];
	let exit: Exit = exits.done;
	let kept = 0;
	const isKnownServer = () => watch !== undefined || kept > 0;

	async function sendOne(source: Source): Promise<void> {
		try {
			let sent = 0;
			const onSent = (bytes: number) => teller.sending(source, (sent = bytes));
			const onStalled = () => teller.stalled(source, sent);
			onSent(0);
			const file = await send(source, server, { signal, onSent, onStalled, isKnownServer });
			kept += 1;
			teller.kept({ source, file });
			if (watch) ending.push(watch.ended(file));
		} catch (error) {
			if (signal.aborted) return;
			exit ||= exitOf(error);
			teller.refused(source, error);
		}
	}

	try {
		await inParallel(sourcesOf(given, { folder: context.folder, stdinName }), sendOne, signal);
		for (const file of await Promise.all(ending)) {
			if (file?.status === 'completed' || signal.aborted) continue;
			exit ||= exits.failed;
		}
	} finally {
		await watch?.close();
		teller.close();
	}
	if (signal.aborted) out.note(`Interrupted; ${kept} ${kept === 1 ? 'file is' : 'files are'} kept.`);
	if (begun.count > 0) out.note('What has arrived of the others stays for a day: the same command goes on.');
	return signal.aborted ? exits.interrupted : exit;
}

/** What becomes of each file, in the words for whoever reads: moving lines, plain lines, or JSON. */
function createTeller({ out }: Context, isWatching: boolean) {
	const bars = out.isTerminal ? createBars(out) : undefined;
	const stages = new Map<string, string>();

	const barOf = (file: StoredFile): Bar => ({
		name: file.filename,
		segments: segmentsOf(file),
		line: nowLine(file)
	});
	const say = (what: string, rest: string, object: unknown) => {
		if (!bars) out.tell(`${what.padEnd(11)}  ${harmless(rest)}`, object);
	};

	return {
		sending(source: Source, bytes: number): void {
			const { name, sizeBytes } = source;
			const share = sizeBytes ? bytes / sizeBytes : 0;
			const line = sizeBytes === undefined ? `Sent ${size(bytes)}` : `Sending ${sizeOf(bytes, sizeBytes)}`;
			bars?.set(source, { name, segments: sendingSegments(share), line });
		},

		stalled(source: Source, bytes: number): void {
			const { name, sizeBytes } = source;
			const segments = sendingSegments(sizeBytes ? bytes / sizeBytes : 0);
			bars?.set(source, { name, segments, line: 'The line is broken; it goes on by itself' });
		},

		kept({ source, file }: Sent): void {
			// While it is watched, one line stands for it from the first byte to the end.
			if (isWatching) {
				bars?.remove(source);
				bars?.set(file.id, barOf(file));
			} else bars?.end(source, { ...barOf(file), line: `Kept · ${file.id}` });
			say('kept', `${file.id}  ${file.filename}`, { event: 'kept', file });
		},

		refused(source: Source, error: unknown): void {
			const { name } = source;
			const message = error instanceof Error ? error.message : String(error);
			const code = error instanceof ApiError ? error.code : 'upload.not_sent';
			bars?.end(source, { name, segments: sendingSegments(0, true), line: message });
			say('refused', `${name}: ${message}`, { event: 'refused', filename: name, code, message });
		},

		/** While it is watched; a line for programs with each new stage only. */
		moved(file: StoredFile): void {
			if (isTerminal(file.status)) {
				bars?.end(file.id, barOf(file));
				const what = file.status === 'completed' ? 'searchable' : file.status;
				return say(what, `${file.id}  ${file.filename}: ${nowLine(file)}`, { event: 'ended', file });
			}
			bars?.set(file.id, barOf(file));
			const stage = file.processing_stage ?? file.status;
			if (stages.get(file.id) === stage) return;
			stages.set(file.id, stage);
			say(stage, `${file.id}  ${file.filename}`, { event: 'stage', file });
		},

		close: () => bars?.close()
	};
}

async function inParallel(
	sources: AsyncIterable<Source>,
	work: (source: Source) => Promise<void>,
	signal: AbortSignal
): Promise<void> {
	const running = new Set<Promise<void>>();
	try {
		for await (const source of sources) {
			if (signal.aborted) break;
			const one = work(source).finally(() => running.delete(one));
			running.add(one);
			if (running.size >= atOnce) await Promise.race(running);
		}
	} finally {
		await Promise.all(running);
	}
}
