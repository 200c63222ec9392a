// Webhooks, from the end of a file to its receiver and back into the log.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAddresses } from '#lib/server/webhooks/address.ts';
import { createDeliverer } from '#lib/server/webhooks/deliverer.ts';
import { retryAfterSeconds } from '#lib/server/webhooks/settle.ts';
import { createDeliveryLog } from '#lib/server/webhooks/log.ts';
import { createSend } from '#lib/server/webhooks/send.ts';
import { createSubscriptions } from '#lib/server/webhooks/subscriptions.ts';
import { silentLog } from '#lib/server/log.ts';
import type { Delivery, WebhookAdded } from '#lib/shared/webhooks.ts';
import { problem } from '#lib/server/errors.ts';
import { eventually } from '../support/eventually.ts';
import type { PlatformOfTests } from '../support/database.ts';
import { openTestFiles, type TestFiles } from '../support/files.ts';
import { type Receiver, startReceiver, verify } from '../support/receiver.ts';

/** `open`: with the whole schema. */
export function webhooksContract(open: () => Promise<PlatformOfTests>): void {
	let test: TestFiles;
	let receiver: Receiver;
	let ada: string;
	let switchedOff: { userId: string; reason: string }[];

	const addresses = createAddresses({ allowPrivate: true });

	beforeAll(async () => {
		test = await openTestFiles(await open());
	});
	afterAll(() => test.close());
	beforeEach(async () => {
		ada = await test.platform.addUser();
		receiver = await startReceiver();
		switchedOff = [];
		return () => receiver.close();
	});

	const subscriptions = () =>
		createSubscriptions({ db: test.platform.db, addresses, reachProject: async () => undefined });
	const log = () => createDeliveryLog(test.platform.db);

	function makeDeliverer(timeoutMs = 5000) {
		return createDeliverer({
			...test.platform,
			send: createSend({ addresses, timeoutMs }),
			notify: async (userId, { reason }) => void switchedOff.push({ userId, reason }),
			log: silentLog,
			everyMs: 20
		});
	}

	/** With a deliverer at work for the time of `fn`. */
	async function delivering<T>(fn: () => Promise<T>, timeoutMs?: number): Promise<T> {
		const deliverer = makeDeliverer(timeoutMs);
		await deliverer.start();
		try {
			return await fn();
		} finally {
			await deliverer.stop();
		}
	}

	const subscribe = (url = receiver.url): Promise<WebhookAdded> =>
		subscriptions().add(ada, { url, events: ['file.completed', 'file.failed', 'file.deleted'] });

	async function logOf({ webhook }: WebhookAdded): Promise<Delivery[]> {
		return (await log().list(webhook.id, {})).deliveries;
	}

	/** As processing does it. */
	async function complete(id: string): Promise<void> {
		const { rows } = await test.platform.db.query<{ attempt: number }>(
			'select queued_attempt as attempt from public.files where id = $1',
			[id]
		);
		const claim = await test.files.claim({
			fileId: id,
			attempt: rows[0]?.attempt ?? 0,
			sizeBytes: 1,
			tries: 0
		});
		await claim?.complete({ pageCount: 1, chunkCount: 0, warnings: [] });
	}

	/** Where several processes work, only time tells that one is dead. */
	const holdsRunOut = async () => {
		if (test.platform.capabilities.isExclusive) return;
		await test.platform.db.query(
			`update asura.webhook_deliveries set held_until = now() - interval '1 second' where held_until is not null`
		);
	};

	const makeDue = () =>
		test.platform.db.query(`update asura.webhook_deliveries set next_at = now() where status = 'waiting'`);

	describe('the outbox', () => {
		it('tells what became of a file, signed so that a standard library accepts it', async () => {
			const added = await subscribe();
			const good = await test.addFile(ada);
			const bad = await test.addFile(ada);
			await delivering(async () => {
				await complete(good.id);
				const claim = await test.files.claim({ fileId: bad.id, attempt: 0, sizeBytes: 1, tries: 0 });
				await claim?.fail(problem('file.damaged'));
				await test.files.remove(ada, good.id);
				await eventually(() => expect(receiver.received).toHaveLength(3));
			});
			expect(receiver.types()).toEqual(['file.completed', 'file.failed', 'file.deleted']);
			expect(new Set(receiver.ids()).size).toBe(3);
			for (const one of receiver.received) expect(verify(added.secret, one)).toEqual(one.message);
			expect(receiver.received[0]?.message).toMatchObject({
				data: { id: good.id, filename: 'notes.txt', status: 'completed', page_count: 1, error_code: null }
			});
			expect(receiver.received[1]?.message.data).toMatchObject({ id: bad.id, error_code: 'file.damaged' });
			const tampered = { ...receiver.received[0], body: '{}' } as (typeof receiver.received)[0];
			expect(() => verify(added.secret, tampered)).toThrow('signature');
		});

		it('holds nothing of a change that was rolled back, of other people, and of a webhook that is off', async () => {
			const off = await subscribe();
			await subscriptions().change(ada, off.webhook.id, { is_enabled: false });
			await complete((await test.addFile(ada)).id);
			const on = await subscribe();
			const eve = await test.platform.addUser();
			await complete((await test.addFile(eve)).id);
			const { id } = await test.addFile(ada);
			await expect(
				test.platform.db.tx(async (tx) => {
					await tx.query('delete from public.files where id = $1', [id]);
					throw new Error('rolled back');
				})
			).rejects.toThrow('rolled back');
			expect(await logOf(on)).toEqual([]);
			expect(await logOf(off)).toEqual([]);
		});

		it('says nothing of a cancelled file, and says "completed" again when all is done anew', async () => {
			const added = await subscribe();
			const cancelled = await test.addFile(ada);
			await test.files.cancel(ada, cancelled.id);
			const { id } = await test.addFile(ada);
			await complete(id);
			await test.files.retry(ada, id, { again: true });
			await complete(id);
			expect((await logOf(added)).map(({ event }) => event)).toEqual(['file.completed', 'file.completed']);
		});
	});

	describe('a delivery', () => {
		it('that fails is tried again later with the same id, until it is given up', async () => {
			const added = await subscribe();
			receiver.answer = (response) => void response.writeHead(500).end();
			await complete((await test.addFile(ada)).id);
			await delivering(async () => {
				for (let tries = 1; tries <= retryAfterSeconds.length; tries++) {
					await eventually(async () =>
						expect(await logOf(added)).toMatchObject([
							{
								attempts: tries,
								status: 'waiting',
								error: 'The receiver answered 500.',
								next_attempt_at: expect.any(String)
							}
						])
					);
					const [delivery] = await logOf(added);
					const wait = Date.parse(delivery?.next_attempt_at ?? '') - Date.parse(delivery?.attempted_at ?? '');
					expect(wait / 1000).toBeGreaterThanOrEqual((retryAfterSeconds[tries - 1] ?? 0) - 1);
					await makeDue();
				}
				await eventually(async () => expect((await logOf(added))[0]?.status).toBe('failed'));
			});
			expect(receiver.received).toHaveLength(retryAfterSeconds.length + 1);
			expect(new Set(receiver.ids()).size).toBe(1);
			expect(switchedOff).toEqual([]);
		});

		it('that hangs ends at its time, and keeps nobody else waiting', async () => {
			const other = await startReceiver();
			const hanging = await subscribe();
			const quick = await subscribe(other.url);
			receiver.answer = () => undefined;
			await complete((await test.addFile(ada)).id);
			await complete((await test.addFile(ada)).id);
			await delivering(async () => {
				await eventually(() => expect(other.received).toHaveLength(2), { timeoutMs: 700 });
				await eventually(async () =>
					expect(await logOf(hanging)).toMatchObject([{}, { attempts: 1, error: 'No answer within 0.8 s.' }])
				);
			}, 800);
			expect(await logOf(quick)).toMatchObject([{ status: 'delivered' }, { status: 'delivered' }]);
			await other.close();
		});

		it('of one person with many hanging receivers keeps nobody else waiting', async () => {
			const other = await startReceiver();
			for (let i = 0; i < 17; i++) await subscribe();
			const bob = await test.platform.addUser();
			await subscriptions().add(bob, { url: other.url, events: ['file.completed'] });
			receiver.answer = () => undefined;
			await complete((await test.addFile(ada)).id);
			await complete((await test.addFile(bob)).id);
			await delivering(async () => {
				await eventually(() => expect(other.received).toHaveLength(1), { timeoutMs: 1500 });
				expect(receiver.received.length).toBeLessThanOrEqual(4);
			}, 3000);
			await other.close();
		});

		it('that is answered late, but in time, counts; its endless answer is not read', async () => {
			const added = await subscribe();
			let sent = 0;
			receiver.answer = async (response) => {
				await new Promise((resolve) => setTimeout(resolve, 300));
				response.writeHead(202);
				const chunk = Buffer.alloc(64 * 1024);
				while (!response.destroyed && sent < 64) {
					sent++;
					response.write(chunk);
					await new Promise((resolve) => setTimeout(resolve, 5));
				}
			};
			await complete((await test.addFile(ada)).id);
			await delivering(() =>
				eventually(async () =>
					expect(await logOf(added)).toMatchObject([{ status: 'delivered', response_status: 202 }])
				)
			);
			await eventually(() => expect(sent).toBeGreaterThan(0));
			expect(sent).toBeLessThan(64);
		});

		it.each([
			'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
			'nonsense',
			''
		])('that is answered with %j has failed', async (bytes) => {
			const added = await subscribe();
			receiver.answer = (response) => void response.socket?.end(bytes);
			await complete((await test.addFile(ada)).id);
			await delivering(() =>
				eventually(async () =>
					expect(await logOf(added)).toMatchObject([
						{ attempts: 1, response_status: null, error: expect.stringContaining('cannot be reached') }
					])
				)
			);
		});

		it('follows no redirect', async () => {
			const inside = await startReceiver();
			const added = await subscribe();
			receiver.answer = (response) => void response.writeHead(307, { location: inside.url }).end();
			await complete((await test.addFile(ada)).id);
			await delivering(() =>
				eventually(async () =>
					expect(await logOf(added)).toMatchObject([
						{ response_status: 307, error: 'The receiver redirects (307), which is not followed.' }
					])
				)
			);
			expect(inside.received).toEqual([]);
			await inside.close();
		});

		it('that a dead process had in hand is sent again by the next, with the same id', async () => {
			const added = await subscribe();
			await complete((await test.addFile(ada)).id);
			receiver.answer = () => undefined;
			const dead = makeDeliverer();
			await dead.start();
			await eventually(() => expect(receiver.received).toHaveLength(1));
			// What it does from now on does not count any more: the row is as a killed process leaves it.
			receiver.answer = (response) => void response.end();
			await holdsRunOut();
			await delivering(() =>
				eventually(async () => expect((await logOf(added))[0]?.status).toBe('delivered'))
			);
			expect(new Set(receiver.ids()).size).toBe(1);
			expect(receiver.received).toHaveLength(2);
			await dead.stop();
			expect((await logOf(added))[0]?.status).toBe('delivered');
		});

		it('can be sent again by hand, also after it was given up', async () => {
			const added = await subscribe();
			await complete((await test.addFile(ada)).id);
			await delivering(async () => {
				await eventually(async () => expect((await logOf(added))[0]?.status).toBe('delivered'));
				await log().replay(added.webhook.id, (await logOf(added))[0]?.id ?? '');
				await eventually(() => expect(receiver.received).toHaveLength(2));
			});
			expect(new Set(receiver.ids()).size).toBe(1);
		});
	});

	describe('a webhook', () => {
		it('that takes nothing for days is switched off, and its owner is told once', async () => {
			const added = await subscribe();
			receiver.answer = (response) => void response.writeHead(500).end();
			await complete((await test.addFile(ada)).id);
			await complete((await test.addFile(ada)).id);
			await test.platform.db.query(
				`update public.webhooks set failing_since = now() - interval '4 days' where id = $1`,
				[added.webhook.id]
			);
			await delivering(() => eventually(() => expect(switchedOff).toHaveLength(1)));
			expect(switchedOff).toMatchObject([{ userId: ada, reason: expect.stringContaining('3 days') }]);
			expect(await subscriptions().get(ada, added.webhook.id)).toMatchObject({
				is_enabled: false,
				disabled_reason: expect.stringContaining('answered 500')
			});
			expect((await logOf(added)).map(({ status }) => status)).toEqual(['failed', 'failed']);
			const on = await subscriptions().change(ada, added.webhook.id, { is_enabled: true });
			expect(on).toMatchObject({ is_enabled: true, disabled_reason: null, failing_since: null });
		});

		it('that says it is gone is switched off at once', async () => {
			const added = await subscribe();
			receiver.answer = (response) => void response.writeHead(410).end();
			await complete((await test.addFile(ada)).id);
			await delivering(() => eventually(() => expect(switchedOff).toHaveLength(1)));
			expect((await subscriptions().get(ada, added.webhook.id)).is_enabled).toBe(false);
		});
	});
}
