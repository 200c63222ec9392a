// Pages that came with a picture, read by a model: in their order, two at a time. What it has read is kept beside the
// original until the file is completed, so that another attempt does not pay for it again.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { type ErrorCode, problems } from '#lib/shared/errors.ts';
import type { Warning } from '#lib/shared/files.ts';
import { Reading, type Usage, type Vision } from '../embedder/vision.ts';
import { clean } from './clean.ts';
import type { Page } from './stage.ts';
import type { Work } from './work.ts';

const atOnce = 2;
/** Stands with each passage that is the model's and not the file's. */
export const section = 'read from a picture';

const KeptReading = v.pipe(v.string(), v.parseJson(), Reading);

export async function* readPictures(
	work: Work,
	vision: Vision,
	pages: AsyncIterable<Page>
): AsyncGenerator<Page> {
	const open: Promise<Page[]>[] = [];
	for await (const page of pages) {
		const read = lookAt(work, vision, page);
		// It is reported when its turn has come.
		read.catch(() => undefined);
		open.push(read);
		if (open.length >= atOnce) yield* (await open.shift()) ?? [];
	}
	for (const read of open) yield* await read;
}

export function keyOfReading(blobId: string, hash: string): string {
	return `${blobId}/seen-${hash}`;
}

async function lookAt(work: Work, vision: Vision, { picture, ...page }: Page): Promise<Page[]> {
	if (!picture) return [page];
	const { number } = page;
	const reading = await readOnce(work, vision, picture);
	if (!reading) return [{ ...page, warning: warn('vision.refused', number) }];
	const seen: Page = { number, section, text: clean(reading.text) };
	if (!reading.isWhole) seen.warning = warn('vision.cut_off', number);
	return page.text === '' ? [seen] : [page, seen];
}

async function readOnce(work: Work, vision: Vision, picture: Uint8Array): Promise<Reading | undefined> {
	const { blobs, claim, checkpoints, progress, scope } = work;
	const hash = createHash('sha256').update(`${vision.model}\n`).update(picture).digest('hex');
	const key = keyOfReading(claim.file.blobId, hash);
	if (await blobs.stat(key)) return v.parse(KeptReading, await text(await blobs.get(key)));
	const onWait = (seconds: number) => progress.wait(seconds);
	let usage: Usage = { input: 0, output: 0 };
	const onUsage = (used: Usage) => (usage = used);
	const reading = await vision.read(picture, { signal: scope.signal, onWait, onUsage });
	if (reading) await blobs.put(key, Readable.from([JSON.stringify(reading)]));
	// A refusal was paid, too.
	await claim.tx((tx) => checkpoints.advance(tx, { seenBy: vision.model, seen: usage }));
	return reading;
}

function warn(code: ErrorCode, page: number | null): Warning {
	const { message, action } = problems[code];
	return { code, message: `${message} ${action}`, ...(page !== null && { pages: [page] }) };
}
