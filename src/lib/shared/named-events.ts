// Events beyond files: what a program on the server tells people, by name, with a JSON object of its own.
import * as v from 'valibot';
import { streamEvents } from './events.ts';
import { isKept } from './kept-text.ts';

export const namedEventLimits = { maxDataBytes: 4096 } as const;

/** The names that Asura itself knows; any other name in the same form may be used. */
export const knownEvents = ['notification', 'system-alert'] as const;

/** A frame of that name would look like a lost connection, or like one without a name. */
const eventSourceNames = new Set(['open', 'message', 'error']);

export const EventName = v.pipe(
	v.string(),
	v.regex(/^[a-z][a-z0-9-]{0,63}$/),
	v.check((name) => !streamEvents.some((own) => own === name), 'This name belongs to the stream itself.'),
	v.check((name) => !eventSourceNames.has(name), 'This name belongs to every EventSource.')
);

const Data = v.pipe(
	v.record(v.string(), v.unknown()),
	v.check(
		// In this order: what is nested for ever has no JSON.
		(data) =>
			isKept(data) && new TextEncoder().encode(JSON.stringify(data)).length <= namedEventLimits.maxDataBytes,
		`At most ${namedEventLimits.maxDataBytes} bytes of JSON, 32 levels deep, without NUL and halves of characters.`
	)
);
const id = v.pipe(v.string(), v.uuid());

/** Who shall hear it. */
export const Audience = v.union([
	v.literal('everybody'),
	v.strictObject({ user: id }),
	v.strictObject({ session: id }),
	v.strictObject({ connection: id })
]);

/** POST /api/events */
export const EventToSend = v.strictObject({
	to: Audience,
	event: EventName,
	data: v.optional(Data, {}),
	/** Kept for a person who is away, until one of his browsers has shown it. For notifications to one user it is the default. */
	keep: v.optional(v.boolean())
});

export const EventToSendJson = v.pipe(v.string(), v.parseJson(), EventToSend);

export const EventSent = v.object({ id });

/** POST /api/events/seen */
export const SeenEvents = v.strictObject({ ids: v.pipe(v.array(id), v.minLength(1), v.maxLength(100)) });

export const SeenEventsJson = v.pipe(v.string(), v.parseJson(), SeenEvents);

/** What a page needs to show either kind. */
export const NoticeData = v.object({
	title: v.string(),
	message: v.optional(v.string(), ''),
	type: v.optional(v.picklist(['info', 'success', 'warning', 'error']), 'info')
});

export type Audience = v.InferOutput<typeof Audience>;
export type EventToSend = v.InferInput<typeof EventToSend>;
