// Stage two: the pages, handed on while later ones are still being read. What was read is kept beside the original, as
// plain text for people and as pages for the next attempt, which then need not read the file again.
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { Warning } from '#lib/shared/files.ts';
import { limits } from '#lib/shared/limits.ts';
import { removeBlobs } from '../files/end.ts';
import { openPageStore } from './page-store.ts';
import { keyOfReading, readPictures } from './pictures.ts';
import type { Page, Tick } from './stage.ts';
import { keepVariant } from './variants.ts';
import type { Work } from './work.ts';
import { beginStage } from './stage-time.ts';

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
	const kept = await findPages(work);
	yield* kept ? again(work, kept.pages) : anew(work);
	work.progress.finish('extraction');
}

/** What an earlier attempt read. */
export async function findPages({
	blobs,
	checkpoints,
	claim
}: Pick<Work, 'blobs' | 'checkpoints' | 'claim'>): Promise<{ pages: number } | undefined> {
	const done = await checkpoints.find('extraction', Done);
	return done && (await blobs.stat(keyOfPages(claim.file.blobId))) ? done : undefined;
}

/** They serve the next attempt; when the file is completed there is none. */
export async function forgetPages({ blobs }: Pick<Work, 'blobs'>, blobId: string): Promise<void> {
	const keys = [keyOfPages(blobId), keyOfReading(blobId, '')];
	await removeBlobs(blobs, blobId, (key) => keys.some((one) => key.startsWith(one)));
}

/** The same for a job that comes again because its process was killed after the file was completed. */
export async function forgetPagesOfCompleted(
	{ db, blobs }: Pick<Work, 'db' | 'blobs'>,
	fileId: string
): Promise<void> {
	const { rows } = await db.query<{ blob_id: string }>(
		`select f.blob_id::text from public.files f where f.id = $1 and f.status = 'completed' and not exists (
			select from public.files g where g.blob_id = f.blob_id and g.status in ('pending', 'processing'))`,
		[fileId]
	);
	for (const { blob_id } of rows) await forgetPages({ blobs }, blob_id);
}

async function* anew(work: Work): AsyncGenerator<Page> {
	const { stages, input, metrics, progress, vision } = work;
	const stop = beginStage(metrics, 'extraction');
	const store = openPageStore(input.scratchDir);
	let pages = 0;
	let isWhole = false;
	let last: Tick | undefined;
	const tell = (tick: Tick) => progress.tell('extraction', tick);
	// What is only drawn is not read: with a model, the pages count that it has seen.
	const onTick = (tick: Tick) => (vision && tick.unit === 'pages' ? (last = tick) : tell(tick));
	const read = stages.extract({ ...input, onTick, maxPictures: vision ? limits.maxVisionPages : 0 });
	try {
		for await (const page of vision ? readPictures(work, vision, read) : read) {
			pages++;
			if (last) tell({ ...last, done: Math.min(last.done, page.number ?? last.done) });
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
	const variants = await keepVariant(work, 'text', stored.text);
	await work.claim.keepVariants(variants, work.checkpoints.finish('extraction', { pages }));
}

async function* again(work: Work, total: number): AsyncGenerator<Page> {
	const stored = await work.blobs.get(keyOfPages(work.claim.file.blobId));
	let done = 0;
	for await (const line of createInterface({ input: stored, crlfDelay: Infinity })) {
		work.scope.signal.throwIfAborted();
		yield v.parse(StoredPage, line);
		work.progress.tell('extraction', { unit: 'pages', done: ++done, total });
	}
}

function keyOfPages(blobId: string): string {
	return `${blobId}/${pagesVariant}`;
}
