// Whose webhooks they are, how many there may be, and when they and their log are forgotten.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { WebhookAdded } from '#lib/shared/webhooks.ts';
import { problem } from '../errors.ts';
import { createAddresses } from './address.ts';
import { createDeliveryLog } from './log.ts';
import { createSubscriptions } from './subscriptions.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';

let platform: TestPlatform;
let ada: string;

beforeAll(async () => {
	platform = await openTestPlatform();
});
beforeEach(async () => {
	ada = await platform.addUser();
});
afterAll(() => platform.close());

const subscriptions = () =>
	createSubscriptions({
		db: platform.db,
		addresses: createAddresses({ allowPrivate: false }),
		reachProject: async () => undefined
	});
const log = () => createDeliveryLog(platform.db);
const subscribe = (): Promise<WebhookAdded> =>
	subscriptions().add(ada, { url: 'https://example.org/', events: ['file.deleted'] });
const notFound = expect.objectContaining({ code: 'webhook.not_found' });

it('a webhook is found by its owner only', async () => {
	const { id } = (await subscribe()).webhook;
	const eve = await platform.addUser();
	expect(await subscriptions().list(eve)).toEqual([]);
	await expect(subscriptions().get(eve, id)).rejects.toEqual(notFound);
	await expect(subscriptions().remove(eve, id)).rejects.toEqual(notFound);
	await expect(subscriptions().change(eve, id, { is_enabled: false })).rejects.toEqual(notFound);
	expect((await subscriptions().get(ada, id)).is_enabled).toBe(true);
});

it('a person has at most twenty, however many are added at once', async () => {
	const added = await Promise.allSettled(Array.from({ length: 25 }, () => subscribe()));
	expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
	await expect(subscribe()).rejects.toMatchObject({ code: 'webhook.too_many' });
});

it('whoever is removed from a project while adding one to it is told so', async () => {
	const { rows } = await platform.db.query<{ id: string }>(
		`insert into public.projects (owner_id, name) values ($1, 'Left') returning id::text`,
		[await platform.addUser()]
	);
	let asked = 0;
	const leaving = createSubscriptions({
		db: platform.db,
		addresses: createAddresses({ allowPrivate: false }),
		// A double: a member when asked first, and not any more.
		reachProject: async () => {
			if (++asked > 1) throw problem('project.not_found');
		}
	});
	const hook = { url: 'https://example.org/', events: ['file.deleted' as const], project: rows[0]?.id };
	await expect(leaving.add(ada, hook)).rejects.toMatchObject({ code: 'project.not_found' });
});

it('old deliveries are forgotten, and more than so many of one webhook', async () => {
	const { id } = (await subscribe()).webhook;
	const old = await log().test(id);
	await platform.db.query(
		`update asura.webhook_deliveries set created_at = now() - interval '31 days' where id = $1`,
		[old.id]
	);
	await platform.db.query(
		`insert into asura.webhook_deliveries (webhook_id, event, body)
		 select $1, 'webhook.test', '{}' from generate_series(1, 10050)`,
		[id]
	);
	await log().prune();
	const { rows } = await platform.db.query('select count(*)::int as count from asura.webhook_deliveries');
	expect(rows).toEqual([{ count: 10_000 }]);
	const first = await log().list(id, { limit: 100 });
	const second = await log().list(id, { after: first.next ?? '', limit: 100 });
	expect(new Set([...first.deliveries, ...second.deliveries].map((one) => one.id)).size).toBe(200);
});

it('all is forgotten with the person', async () => {
	const { id } = (await subscribe()).webhook;
	await log().test(id);
	await platform.db.query('delete from auth.users where id = $1', [ada]);
	expect((await log().list(id, {})).deliveries).toEqual([]);
});

it('an old secret is forgotten when its day is over', async () => {
	const { webhook, secret } = await subscribe();
	await subscriptions().changeSecret(ada, webhook.id);
	const kept = async () =>
		(
			await platform.db.query('select previous_secret as old from public.webhooks where id = $1', [
				webhook.id
			])
		).rows;
	await subscriptions().forgetOldSecrets();
	expect(await kept()).toEqual([{ old: secret }]);
	await platform.db.query(`update public.webhooks set previous_secret_until = now() - interval '1 second'`);
	expect((await subscriptions().get(ada, webhook.id)).old_secret_until).toBeNull();
	await subscriptions().forgetOldSecrets();
	expect(await kept()).toEqual([{ old: null }]);
});
