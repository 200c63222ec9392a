// What a client may say about itself when it opens a stream (server/events/visit.ts reads it leniently).
import * as v from 'valibot';

export const StreamQuery = v.object({
	/** Continue from here; the header Last-Event-ID goes before. */
	cursor: v.optional(v.string()),
	/** Names that are wanted, separated by commas. */
	events: v.optional(v.string()),
	/** The client's own name for its connection: a new one takes the place of the old. */
	client: v.optional(v.string()),
	/** Whose files are meant. */
	user: v.optional(v.string()),
	/** Instead of a cookie or a key, once. */
	ticket: v.optional(v.string())
});
