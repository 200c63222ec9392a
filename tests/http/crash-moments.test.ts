// kill -9 at moments by chance in the life of a mixed batch, and in steps of 100 ms through the two seconds after its
// last batch of vectors was answered, in which files are completed. Each start mends what the kill before it left.
//
// ASURA_CRASH_MOMENTS: how many by chance; with it, all the steps are taken too, also those long after the end.
// ASURA_CRASH_SEED repeats a run that failed.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { makeCsv, makeImage, makeLongPdf, mulberry32 } from '../support/make-files.ts';
import type { Part } from '../support/multipart.ts';
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
import { enter, type Person } from './person.ts';

const { ASURA_CRASH_MOMENTS, ASURA_CRASH_SEED = Date.now() % 1_000_000 } = process.env;
const moments = Number(ASURA_CRASH_MOMENTS ?? 4);
const seed = Number(ASURA_CRASH_SEED);
const allSteps = Array.from({ length: 21 }, (_, i) => i * 100);
const steps = allSteps.filter((ms) => ASURA_CRASH_MOMENTS || ms <= 600 || ms % 1000 === 0);
/** Ten batches: were all of them paid again, it would be seen. */
const pages = 640;
const inFlight = 4 * 64;
const words = {
	only17: { filename: 'book.pdf', page: 17 },
	[`only${pages}`]: { filename: 'book.pdf', page: pages },
	uniquelantern: { filename: 'notes.md', page: null }
};

let site: CrashSite;
let server: TestServer;
let batch: Part[];
/** What the same files become when nobody disturbs them, how long it takes, and how many texts are paid for it. */
let undisturbed: Outcome[];
let undisturbedMs: number;
let passages: number;

beforeAll(async () => {
	site = await openCrashSite({ latencyMs: 40 });
	batch = [
		{ filename: 'notes.md', content: '# Harbour\n\nThe uniquelantern hangs over the quay.\n' },
		{ filename: 'book.pdf', content: makeLongPdf(pages, 30) },
		{ filename: 'photo.jpg', content: await makeImage({ format: 'jpeg', width: 300, height: 200 }) },
		{ filename: 'table.csv', content: makeCsv(['name', 'place'], rows()) }
	];
	server = await site.start();
	const person = await enter(server, 'undisturbed@localhost');
	const startedAt = performance.now();
	await person.ended(idsOf(await uploadAll(person, batch)), 60_000);
	undisturbedMs = performance.now() - startedAt;
	passages = new Set(site.paidTexts()).size;
	await site.stopAndRead(async (db) => {
		undisturbed = await readOutcomes(db, 'undisturbed@localhost');
	});
	expect(undisturbed.map(({ status }) => status)).toEqual(batch.map(() => 'completed'));
	server = await site.start();
}, 120_000);
afterAll(() => site?.dispose());

it(`${moments} times by chance (seed ${seed}): nothing is lost, doubled, stuck or left as a ghost`, async () => {
	const random = mulberry32(seed);
	const people: string[] = [];
	for (let i = 0; i < moments; i++) {
		const email = `killed-by-chance-${i}@localhost`;
		people.push(email);
		const ms = random() * undisturbedMs;
		await expectUnharmed(email, `moment ${i}, ${Math.round(ms)} ms, seed ${seed}`, () => delay(ms));
	}
	await expectAllAlike(people);
}, 1_200_000);

it('in steps through the two seconds after the last batch: the same', { timeout: 600_000 }, async () => {
	for (const ms of steps) {
		await expectUnharmed(emailOf(ms), `${ms} ms after the last batch`, async (person) => {
			await eventually(async () => expect(await person.list()).toHaveLength(batch.length));
			await eventually(() => expect(new Set(site.paidTexts()).size).toBe(passages), {
				timeoutMs: 60_000,
				everyMs: 2
			});
			await delay(ms);
		});
	}
	await expectAllAlike(steps.map(emailOf));
});

/** A batch is sent, the server is killed, and another one makes of it what it would have become. */
async function expectUnharmed(
	email: string,
	moment: string,
	untilKilled: (person: Person) => Promise<unknown>
): Promise<void> {
	site.provider.paid.length = 0;
	const person = await enter(server, email);
	// The answer may never come: what it would have acknowledged may then be there or not, but nothing by halves.
	const answered = person.upload(...batch).catch(() => undefined);
	await untilKilled(person);
	await server.kill();
	const acknowledged = (await answered)?.body.files ?? [];
	const paidBefore = site.paidTexts();
	const kept = await site.readKeptTexts(email);

	server = await site.start();
	const back = await enter(server, email);
	const there = namesOf(await back.list());
	expect(there, moment).toEqual(expect.arrayContaining(namesOf(acknowledged)));
	const missing = batch.filter(({ filename }) => !there.includes(filename ?? ''));
	if (missing.length > 0) await uploadAll(back, missing);
	const files = await back.list();
	expect(namesOf(files).toSorted(), moment).toEqual(batch.map(({ filename }) => filename).toSorted());
	const ended = await back.ended(idsOf(files), 60_000);
	expect(new Set(ended.map(({ status }) => status)), moment).toEqual(new Set(['completed']));
	await expectFoundOnce(back, files, words);

	const paidAfter = site.paidTexts().slice(paidBefore.length);
	expect(
		paidAfter.filter((text) => kept.has(text)),
		moment
	).toEqual([]);
	const before = new Set(paidBefore);
	const paidAgain = paidAfter.filter((text) => before.has(text)).length;
	expect(paidAgain, moment).toBeLessThanOrEqual(inFlight + passages - pages);
}

/** Rows, passages, blobs and jobs are those of the one who was not disturbed. */
async function expectAllAlike(people: readonly string[]): Promise<void> {
	await site.jobsAreTidied();
	// Bytes whose row was not written before the kill are swept away once they are old.
	await server.stop();
	server = await site.startAndSweep();
	await site.stopAndRead(async (db) => {
		for (const email of people) expect(await readOutcomes(db, email), email).toEqual(undisturbed);
		await site.expectNothingLeftOver(db);
	});
	server = await site.start();
}

function emailOf(ms: number): string {
	return `killed-after-${ms}@localhost`;
}

function namesOf(files: readonly StoredFile[]): string[] {
	return files.map(({ filename }) => filename);
}

function rows(): string[][] {
	return Array.from({ length: 200 }, (_, i) => [`row ${i}`, `place number ${i * 7919}`]);
}
