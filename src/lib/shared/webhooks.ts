// Webhooks: what a person, or a project, subscribes to, and what became of each message (docs/webhooks.md).
import * as v from 'valibot';
import { KeptText } from './kept-text.ts';

export const webhookEvents = ['file.completed', 'file.failed', 'file.deleted', 'proposal.created'] as const;
export const WebhookEvent = v.picklist(webhookEvents);
export type WebhookEvent = v.InferOutput<typeof WebhookEvent>;

const Url = v.pipe(KeptText, v.trim(), v.maxLength(2000), v.url('That is not an address.'));
const Events = v.pipe(v.array(WebhookEvent), v.minLength(1, 'Choose at least one event.'), v.maxLength(20));

export const NewWebhook = v.object({
	url: Url,
	events: Events,
	/** Of this project only; without it, of the person's own files and projects. */
	project: v.optional(v.pipe(v.string(), v.uuid()))
});
export const WebhookChange = v.partial(v.object({ url: Url, events: Events, is_enabled: v.boolean() }));
export type NewWebhook = v.InferOutput<typeof NewWebhook>;
export type WebhookChange = v.InferOutput<typeof WebhookChange>;
export const NewWebhookJson = v.pipe(v.string(), v.parseJson(), NewWebhook);
export const WebhookChangeJson = v.pipe(v.string(), v.parseJson(), WebhookChange);

export const Webhook = v.object({
	id: v.pipe(v.string(), v.uuid()),
	url: v.string(),
	events: v.array(v.string()),
	is_enabled: v.boolean(),
	/** Why it was switched off, when it was not its owner who did so. */
	disabled_reason: v.nullable(v.string()),
	/** The first failure since a delivery last succeeded. */
	failing_since: v.nullable(v.string()),
	/** null: of the person's own files and projects. */
	project: v.nullable(v.object({ id: v.pipe(v.string(), v.uuid()), name: v.string() })),
	/** In a project others see it: its owner may also remove it, editors may look. */
	you_may: v.picklist(['change', 'remove', 'look']),
	/** Until then the secret before signs too; null: there is none. */
	old_secret_until: v.nullable(v.string()),
	created_at: v.string()
});
export type Webhook = v.InferOutput<typeof Webhook>;

export const WebhookList = v.object({ webhooks: v.array(Webhook) });
/** Of a new webhook, or one with a new secret: `secret` is told this once. */
export const WebhookAdded = v.object({ webhook: Webhook, secret: v.string() });
export type WebhookAdded = v.InferOutput<typeof WebhookAdded>;

export const deliveryStatuses = ['waiting', 'delivered', 'failed'] as const;
export const Delivery = v.object({
	/** The `webhook-id` that the receiver sees: the same with every attempt. */
	id: v.pipe(v.string(), v.uuid()),
	event: v.string(),
	status: v.picklist(deliveryStatuses),
	attempts: v.number(),
	/** Of the last attempt, as are the next three. */
	response_status: v.nullable(v.number()),
	error: v.nullable(v.string()),
	duration_ms: v.nullable(v.number()),
	attempted_at: v.nullable(v.string()),
	/** null while it is under way, and when there is none. */
	next_attempt_at: v.nullable(v.string()),
	created_at: v.string()
});
export type Delivery = v.InferOutput<typeof Delivery>;

export const DeliveriesQuery = v.object({
	after: v.optional(v.pipe(v.string(), v.uuid())),
	limit: v.optional(
		v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100))
	)
});
export type DeliveriesQuery = v.InferOutput<typeof DeliveriesQuery>;
export const DeliveriesAnswer = v.object({ deliveries: v.array(Delivery), next: v.nullable(v.string()) });
export type DeliveriesAnswer = v.InferOutput<typeof DeliveriesAnswer>;
