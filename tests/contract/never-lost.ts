// What every database under the live stream must give: whatever happens when, a browser that follows ends up with what
// the database holds. Run on each Db (src/lib/server/events/never-lost.*.test.ts).
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileChanges } from '#lib/server/files/changes.ts';
import { digestOf, type FilesState, merge, noFiles, type StreamMessage } from '#lib/shared/events.ts';
import type { Platform } from '#lib/server/platform/platform.ts';
import { eventually } from '../support/eventually.ts';
import { deleteFile, insertFile, insertFiles, touchFile } from '../support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../support/live.ts';
import { mulberry32 } from '../support/make-files.ts';
import type { Frame, SseClient } from '../support/sse.ts';

export function describeNeverLost(
	name: string,
	openPlatform: () => Promise<Platform>,
	{ runs }: { runs: number }
) {
	describe(`nothing is lost on ${name}`, () => {
		let platform: Platform;
		let live: LiveServer;
		/** Called around every step that the server takes on the database for its streams. */
		let onStep: (step: string) => Promise<void> = async () => undefined;

		beforeAll(async () => {
			platform = await openPlatform();
			live = await startLive(platform, {}, (changes) => interpose(changes, (step) => onStep(step)));
		});
		afterAll(async () => {
			await live.close();
			await platform.close();
		});

		it.each([undefined, 'e.0'])(
			'when a file is written between any two steps of connecting with cursor %s',
			async (cursor) => {
				for (let at = 0; ; at += 1) {
					const ada = await newPerson();
					await insertFile(platform.db, ada.userId, 'before');
					const from = cursor && (await live.changes.now());
					const steps: string[] = [];
					let isWritten = false;
					onStep = async (step) => {
						if (steps.push(step) !== at + 1) return;
						await insertFile(platform.db, ada.userId, step);
						isWritten = true;
					};
					const browser = await openBrowser(ada, from);
					await browser.client.next(cursor ? 'connected' : 'snapshot');
					await eventually(() => expect(isWritten).toBe(true));
					onStep = async () => undefined;
					if (from) await expectAllSince(ada, from, browser);
					else await expectInSync(ada, browser);
					browser.client.close();
					if (at >= 9) return;
				}
			}
		);

		it('when the connection is cut at any moment and continues from its last id', async () => {
			await fc.assert(
				fc.asyncProperty(
					fc.integer(),
					fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 6 }),
					async (seed, cuts) => {
						const ada = await newPerson();
						await insertFiles(platform.db, ada.userId, 20);
						const isWriting = { now: true };
						const writers = [1, 2, 3, 4].map((n) => write(ada, mulberry32(seed + n), isWriting));
						let browser = await openBrowser(ada);
						for (const frames of cuts) {
							await eventually(() => expect(browser.client.frames.length).toBeGreaterThanOrEqual(frames), {
								timeoutMs: 1000
							}).catch(() => undefined);
							browser.client.close();
							browser = await openBrowser(ada, browser.client.lastEventId ?? browser.cursor, browser.state());
						}
						isWriting.now = false;
						await Promise.all(writers);
						await expectInSync(ada, browser);
						browser.client.close();
					}
				),
				{ numRuns: runs, endOnFailure: true }
			);
		}, 120_000);

		async function newPerson(): Promise<Person> {
			return live.signIn(`${crypto.randomUUID()}@localhost`);
		}

		/** A browser's memory over several connections. */
		async function openBrowser(person: Person, cursor?: string, known: FilesState = noFiles) {
			let state = known;
			const onFrame = ({ data }: Frame) => void (state = merge(state, data as StreamMessage));
			const client: SseClient = await live.connect(person, cursor ? `?cursor=${cursor}` : '', { onFrame });
			return { client, cursor, state: () => state };
		}

		/** It may be told more than that: a state that it knows does no harm. */
		async function expectAllSince(
			person: Person,
			cursor: string,
			browser: { state(): FilesState }
		): Promise<void> {
			const past = await live.changes.since(person.userId, cursor);
			if (past.kind === 'reset') throw new Error(past.reason);
			expect(past.changes).toHaveLength(1);
			await eventually(() => {
				for (const { id, rev } of past.changes) expect(browser.state().byId.get(id)?.rev).toBe(rev);
			});
		}

		async function expectInSync(person: Person, browser: { state(): FilesState }): Promise<void> {
			const { digests } = await live.changes.readWithDigests(
				await live.changes.position(),
				new Map([[person.userId, new Map()]])
			);
			await eventually(
				() => expect(digestOf(browser.state().byId.values())).toBe(digests.get(person.userId)?.digest),
				{ timeoutMs: 15_000 }
			);
		}

		/** Transactions that stay open for a while, beside others: what a plain sequence would lose. */
		async function write(person: Person, random: () => number, isWriting: { now: boolean }): Promise<void> {
			for (let n = 0; n < 15 || (isWriting.now && n < 400); n += 1) {
				await platform.db
					.tx(async (tx) => {
						const { rows } = await tx.query<{ id: string }>(
							'select id::text from public.files where user_id = $1 order by id offset $2 limit 2',
							[person.userId, Math.floor(random() * 18)]
						);
						const [one, two] = rows;
						if (one) await touchFile(tx, one.id, random() * 99);
						await new Promise((resolve) => setTimeout(resolve, random() * 6));
						if (two && random() < 0.3) await deleteFile(tx, two.id);
						if (random() < 0.4) await insertFile(tx, person.userId, `n${n}`);
					})
					// Two writers can meet in a deadlock; one of them then wrote nothing.
					.catch((error: { code?: string }) => {
						if (error.code !== '40P01') throw error;
					});
				if (random() < 0.5) await platform.db.notify('asura_files', person.userId);
			}
		}
	});
}

function interpose(changes: FileChanges, onStep: (step: string) => Promise<void>): FileChanges {
	const around =
		<A extends unknown[], R>(name: string, fn: (...args: A) => Promise<R>) =>
		async (...args: A): Promise<R> => {
			await onStep(`before ${name}`);
			const result = await fn(...args);
			await onStep(`after ${name}`);
			return result;
		};
	return {
		...changes,
		position: around('position', changes.position),
		since: around('since', changes.since),
		snapshot: around('snapshot', changes.snapshot),
		touched: around('touched', changes.touched),
		read: around('read', changes.read)
	};
}
