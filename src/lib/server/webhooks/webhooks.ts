// Webhooks out: other programs hear what happened, on the way that they can take. The database itself writes a message
// into the outbox in the transaction in which a file ends (asura.announce, docs/decisions/101), so that no code path can
// forget it and no crash can come in between; the deliverer brings it from there.
import type {
	DeliveriesAnswer,
	DeliveriesQuery,
	Delivery,
	NewWebhook,
	WebhookChange
} from '#lib/shared/webhooks.ts';
import { createAttempts } from '../auth/attempts.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Capabilities, Db } from '../platform/platform.ts';
import { createAddresses } from './address.ts';
import { createDeliverer, type DelivererDeps } from './deliverer.ts';
import { createDeliveryLog } from './log.ts';
import { createSend } from './send.ts';
import { createSubscriptions } from './subscriptions.ts';

export type WebhooksDeps = {
	db: Db;
	capabilities: Pick<Capabilities, 'isExclusive'>;
	config: Pick<Config, 'webhooks'>;
	reachProject: (userId: string, projectId: string) => Promise<unknown>;
	notify: DelivererDeps['notify'];
	log: Log;
};

export type Webhooks = ReturnType<typeof createWebhooks>;

export function createWebhooks({ db, capabilities, config, reachProject, notify, log }: WebhooksDeps) {
	const addresses = createAddresses(config.webhooks);
	const subscriptions = createSubscriptions({ db, addresses, reachProject });
	const deliveryLog = createDeliveryLog(db);
	const deliverer = createDeliverer({ db, capabilities, send: createSend({ addresses }), notify, log });
	/** Each of them makes us call somebody. */
	const byHand = createAttempts({ burst: 10, perSecond: 0.5 });

	return {
		list: subscriptions.list,
		get: subscriptions.get,
		add: (userId: string, webhook: NewWebhook) => subscriptions.add(userId, webhook),
		change: (userId: string, id: string, change: WebhookChange) => subscriptions.change(userId, id, change),
		changeSecret: subscriptions.changeSecret,
		remove: subscriptions.remove,

		async deliveries(userId: string, id: string, query: DeliveriesQuery): Promise<DeliveriesAnswer> {
			await subscriptions.get(userId, id);
			return deliveryLog.list(id, query);
		},

		async replay(userId: string, id: string, deliveryId: string): Promise<Delivery> {
			await subscriptions.use(userId, id);
			byHand.take(userId);
			const delivery = await deliveryLog.replay(id, deliveryId);
			deliverer.look();
			return delivery;
		},

		async test(userId: string, id: string): Promise<Delivery> {
			await subscriptions.use(userId, id);
			byHand.take(userId);
			const delivery = await deliveryLog.test(id);
			deliverer.look();
			return delivery;
		},

		/** In every process that works. */
		start: deliverer.start,
		stop: deliverer.stop,
		/** Old deliveries and secrets; now and then, by one of them. */
		async prune(): Promise<void> {
			await subscriptions.forgetOldSecrets();
			await deliveryLog.prune();
		}
	};
}
