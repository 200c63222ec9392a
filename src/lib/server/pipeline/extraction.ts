// Stage two: the pages, handed on while later ones are still being read. What was read is kept beside the original, as
// plain text for people and as pages for the next attempt, which then need not read the file again.
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { Warning } from '#lib/shared/files.ts';
import { openPageStore } from './page-store.ts';
import type { Page, Tick } from './stage.ts';
import { keepVariant } from './variants.ts';
import type { Work } from './work.ts';

const pagesVariant = 'pages.jsonl';

const StoredPage = v.pipe(
	v.string(),
	v.parseJson(),
	v.object({
		number: v.nullable(v.number()),
		section: v.nullable(v.string()),
		text: v.string(),
		warning: v.optional(Warning)
	})
);
const Done = v.object({ pages: v.number() });

export async function* readPages(work: Work): AsyncGenerator<Page> {
	const done = await work.checkpoints.find('extraction', Done);
	const isKept = done && (await work.blobs.stat(keyOfPages(work)));
	yield* isKept ? again(work, done.pages) : anew(work);
	work.progress.finish('extraction');
}

/** They serve the next attempt; when the file is completed there is none. */
export async function forgetPages(work: Work): Promise<void> {
	await work.blobs.remove([keyOfPages(work)]);
}

async function* anew(work: Work): AsyncGenerator<Page> {
	const { stages, input, metrics, progress } = work;
	const stop = metrics.stageSeconds.startTimer({ stage: 'extraction' });
	const onTick = (tick: Tick) => progress.tell('extraction', tick);
	const store = openPageStore(input.scratchDir);
	let pages = 0;
	let isWhole = false;
	try {
		for await (const page of stages.extract({ ...input, onTick })) {
			pages++;
			await store.add(page);
			yield page;
		}
		isWhole = true;
	} finally {
		const stored = await store.close();
		if (isWhole) await finish(work, stored, pages);
	}
	stop();
}

type Stored = Awaited<ReturnType<ReturnType<typeof openPageStore>['close']>>;

async function finish(work: Work, stored: Stored, pages: number): Promise<void> {
	await keepVariant(work, pagesVariant, stored.pages);
	await work.claim.keepVariants(await keepVariant(work, 'text', stored.text));
	await work.checkpoints.finish('extraction', { pages });
}

async function* again(work: Work, total: number): AsyncGenerator<Page> {
	const stored = await work.blobs.get(keyOfPages(work));
	let done = 0;
	for await (const line of createInterface({ input: stored, crlfDelay: Infinity })) {
		work.scope.signal.throwIfAborted();
		yield v.parse(StoredPage, line);
		work.progress.tell('extraction', { unit: 'pages', done: ++done, total });
	}
}

function keyOfPages({ claim }: Work): string {
	return `${claim.file.blobId}/${pagesVariant}`;
}
