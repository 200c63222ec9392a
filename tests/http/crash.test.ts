// kill -9 while files are at work, and a new start on the same folder: whatever was accepted ends as if nothing had
// happened. What ended is compared, row by row and passage by passage, with what an undisturbed run made of the same.
// (crash-moments.test.ts has the moments by chance.)
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { makeCsv, makeImage, makeJson, makeLongPdf, mulberry32 } from '../support/make-files.ts';
import { multipartType, type Part, partHead } from '../support/multipart.ts';
import type { TestServer } from '../support/server.ts';
import {
	type CrashSite,
	expectFoundOnce,
	idsOf,
	openCrashSite,
	type Outcome,
	readOutcomes,
	uploadAll
} from './crash-site.ts';
import { enter } from './person.ts';

const pages = 300;
const random = mulberry32(2026);
const words = {
	only17: { filename: 'book.pdf', page: 17 },
	[`only${pages}`]: { filename: 'book.pdf', page: pages },
	uniquelantern: { filename: 'notes.md', page: null }
};

let site: CrashSite;
let server: TestServer;
let batch: Part[];
/** What the same files become when nobody disturbs them. */
let undisturbed: Outcome[];
let passages: number;

const start = async () => {
	server = await site.start();
};

beforeAll(async () => {
	site = await openCrashSite({ latencyMs: 30 });
	batch = [
		{ filename: 'book.pdf', content: makeLongPdf(pages, 150) },
		{ filename: 'noise.png', content: await makeImage({ width: 700, height: 500, look: 'noise' }) },
		{ filename: 'photo.jpg', content: await makeImage({ format: 'jpeg', width: 900, height: 600 }) },
		{ filename: 'notes.md', content: '# Harbour\n\nThe uniquelantern hangs over the quay.\n' },
		{ filename: 'table.csv', content: makeCsv(['name', 'place'], rows(400)) },
		{ filename: 'orders.json', content: makeJson(rows(200)) }
	];
	await start();
	const person = await enter(server, 'undisturbed@localhost');
	await person.ended(idsOf(await uploadAll(person, batch)), 60_000);
	passages = new Set(site.paidTexts()).size;
	await site.stopAndRead(async (db) => {
		undisturbed = await readOutcomes(db, 'undisturbed@localhost');
	});
	expect(undisturbed.map(({ status }) => status)).toEqual(batch.map(() => 'completed'));
}, 120_000);

// One that failed must not take the others with it.
afterEach(() => server.kill());

afterAll(() => site?.dispose());

describe('kill -9', { timeout: 240_000 }, () => {
	const atBatch = () => 1 + Math.floor(random() * (pages / 64));

	it.each([
		['with the first call to the provider', (uploaded: Uploaded) => killAtCall(1, uploaded)],
		['with another one', (uploaded: Uploaded) => killAtCall(1 + atBatch(), uploaded)],
		['at some moment', (uploaded: Uploaded) => uploaded.then(() => killAfter(random() * 1_500))],
		['right after the last batch was answered', (uploaded: Uploaded) => killWhenAllIsPaid(0, uploaded)],
		['a moment after that', (uploaded: Uploaded) => killWhenAllIsPaid(random() * 60, uploaded)]
	])('%s: every file ends as it would have, and nothing is paid twice', async (moment, armKill) => {
		const email = `${moment.replaceAll(' ', '-')}@localhost`;
		await start();
		site.provider.paid.length = 0;
		const person = await enter(server, email);
		const uploaded = uploadAll(person, batch);
		const dead = armKill(uploaded);
		const accepted = await uploaded;
		await dead;
		const kept = await site.readKeptTexts(email);
		const paidBefore = site.paidTexts().length;

		await start();
		const back = await enter(server, email);
		await back.ended(idsOf(accepted), 60_000);
		await expectFoundOnce(back, accepted, words);
		expect(
			site
				.paidTexts()
				.slice(paidBefore)
				.filter((text) => kept.has(text))
		).toEqual([]);
		const paidAgain = site.paidTexts().length - passages;
		// Four batches of the book may be under way, and all of the other files.
		expect(paidAgain).toBeLessThanOrEqual(4 * 64 + passages - pages);

		await site.jobsAreTidied();
		await site.stopAndRead(async (db) => {
			expect(await readOutcomes(db, email)).toEqual(undisturbed);
			await site.expectNothingLeftOver(db);
		});
	});

	it('five times in a row, at any moment', async () => {
		const email = 'five@localhost';
		await start();
		const accepted = await uploadAll(await enter(server, email), batch);
		let known = 0;
		for (let i = 0; i < 5; i++) {
			const person = await enter(server, email);
			// As long as something is kept between two crashes, no number of them is too many.
			await eventually(
				async () => {
					const book = (await person.list()).find(({ filename }) => filename === 'book.pdf');
					const kept = book?.status === 'completed' ? 1 : (book?.stage_progress.embedding ?? 0);
					expect(kept, JSON.stringify(book)).toBeGreaterThan(Math.min(known, 0.99));
					known = kept;
				},
				{ timeoutMs: 60_000 }
			);
			await killAfter(random() * 100);
			await start();
		}
		const back = await enter(server, email);
		await back.ended(idsOf(accepted), 60_000);
		await expectFoundOnce(back, accepted, words);
		await site.jobsAreTidied();
		await site.stopAndRead(async (db) => {
			expect(await readOutcomes(db, email)).toEqual(undisturbed);
			await site.expectNothingLeftOver(db);
		});
	});

	it('while bytes arrive: what arrived whole is kept and processed, of the rest there is nothing', async () => {
		await start();
		const person = await enter(server, 'arriving@localhost');
		const sending = request(new URL('/api/files/upload', server.url), {
			method: 'POST',
			headers: { cookie: person.cookie, origin: server.url, 'content-type': multipartType }
		});
		sending.on('error', () => undefined);
		const gone = new Promise((resolve) => sending.once('close', resolve));
		sending.write(`${partHead({ filename: 'whole.txt' })}it arrived whole\r\n`);
		sending.write(`${partHead({ filename: 'half.txt' })}${'half of it '.repeat(50_000)}`);
		await eventually(async () => expect(await person.list()).toHaveLength(1));
		await server.kill();
		await gone;

		await start();
		const back = await enter(server, 'arriving@localhost');
		const files = await back.list();
		expect(files.map(({ filename }) => filename)).toEqual(['whole.txt']);
		await back.ended(idsOf(files));
		await site.stopAndRead(site.expectNothingLeftOver);
	});

	it('leaves no blob that nobody points at, once the sweep has come by', async () => {
		server = await site.startAndSweep();
		await site.stopAndRead(site.expectNothingLeftOver);
	});
});

type Uploaded = Promise<StoredFile[]>;

/** The server dies when the provider is called for the n-th time from now on, but not before the upload is answered. */
function killAtCall(n: number, uploaded: Uploaded): Promise<void> {
	const { provider } = site;
	const from = provider.calls.length;
	return new Promise((resolve) => {
		provider.failWhen(({ number }) => {
			if (number - from === n + 1) {
				provider.failWhen(undefined);
				resolve(uploaded.then(() => server.kill()));
			}
			return undefined;
		});
	});
}

async function killAfter(ms: number): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, ms));
	await server.kill();
}

async function killWhenAllIsPaid(msLater: number, uploaded: Uploaded): Promise<void> {
	await uploaded;
	await eventually(() => expect(new Set(site.paidTexts()).size).toBe(passages), {
		timeoutMs: 60_000,
		everyMs: 1
	});
	await killAfter(msLater);
}

function rows(count: number): string[][] {
	return Array.from({ length: count }, (_, i) => [
		`row ${i}`,
		createHash('sha256').update(String(i)).digest('hex').slice(0, 24)
	]);
}
