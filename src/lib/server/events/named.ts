// Events beyond files. Whoever sends one need not know where its hearers are connected: it goes to every process
// through the database, and each tells its own streams.
//
// From a background job:     await events.send({ to: { user: userId }, event: 'notification', data: { title: 'Export ready' } });
// From a webhook's handler:  await events.send({ to: 'everybody', event: 'system-alert', data: { title: 'Back in 5 minutes' } });
// docs/events.md has both in full.
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { NamedEvent } from '#lib/shared/events.ts';
import { Audience, EventToSend } from '#lib/shared/named-events.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Db, Stop } from '../platform/platform.ts';
import { frameOf } from './frames.ts';
import type { Hub, Listener } from './hub.ts';
import { createNotifications } from './notifications.ts';

const channel = 'asura_events';

const Envelope = v.object({ to: Audience, named: NamedEvent });

export function createNamed({ db, hub, log }: { db: Db; hub: Hub; log: Log }) {
	const notifications = createNotifications(db);

	function hear(payload: string): void {
		// The database was away for a moment. What was kept comes with the next connection; the rest is gone.
		if (payload === '') return;
		try {
			const { to, named } = v.parse(Envelope, JSON.parse(payload));
			const frame = frameOf(named);
			for (const listener of audienceOf(hub, to)) listener.tell(named, frame);
		} catch (error) {
			log.warn({ err: error }, `an event was not understood: ${messageOf(error)}`);
		}
	}

	return {
		/** Resolves with the event's id when every process is being told. */
		async send(input: EventToSend): Promise<{ id: string }> {
			const { to, event, data, keep } = v.parse(EventToSend, input);
			const user = typeof to === 'object' && 'user' in to ? to.user : undefined;
			const named: NamedEvent = {
				eventType: event,
				timestamp: new Date().toISOString(),
				id: randomUUID(),
				data
			};
			if (user !== undefined && (keep ?? event === 'notification')) {
				named.kept = true;
				await notifications.keep(user, named);
			}
			await db.notify(channel, JSON.stringify({ to, named }));
			return { id: named.id };
		},

		/** What came while the person was away; again on each connection, until one says that it was seen. */
		async tellKept(listener: Listener): Promise<void> {
			for (const named of await notifications.of(listener.userId)) listener.tell(named, frameOf(named));
		},

		keptFor: notifications.of,
		seen: notifications.seen,
		prune: notifications.prune,
		start: (): Promise<Stop> => db.listen(channel, hear)
	};
}

function* audienceOf(hub: Hub, to: Audience): Generator<Listener> {
	if (to === 'everybody') return yield* hub.listeners();
	if ('user' in to) return yield* hub.listenersOf(to.user);
	for (const listener of hub.listeners()) {
		if ('session' in to ? listener.sessionId === to.session : listener.id === to.connection) yield listener;
	}
}
