// Every message of the stream, and merge(): the ONE reducer that turns messages into what a browser shows.
//
//     merge(state: FilesState, message: StreamMessage): FilesState      pure; the same object when nothing changed
//
// A message carries a file's state with its `rev`; the highest rev wins. So duplicates, overlap and reordering are
// harmless. A snapshot replaces what was known when it began, whatever its rev (a restored database has lower ones):
// what it does not name is gone. What arrived after it began is judged by rev alone.
import * as v from 'valibot';
import { isTerminal, Stage, Status, StoredFile } from './files.ts';

const timestamp = v.string();
const cursor = v.string();

export const ConnectedMessage = v.object({
	eventType: v.literal('connected'),
	timestamp,
	connectionId: v.string(),
	heartbeatSeconds: v.number(),
	cursor: v.nullable(cursor)
});
export const SnapshotMessage = v.object({
	eventType: v.literal('snapshot'),
	timestamp,
	files: v.array(StoredFile),
	last: v.boolean()
});
export const FileUpdateMessage = v.object({
	eventType: v.literal('file-update'),
	timestamp,
	file: StoredFile
});
export const FileDeletedMessage = v.object({
	eventType: v.literal('file-deleted'),
	timestamp,
	file: v.object({ id: v.string(), rev: v.number() })
});
export const HeartbeatMessage = v.object({
	eventType: v.literal('heartbeat'),
	timestamp,
	cursor: v.nullable(cursor),
	active: v.number(),
	digest: v.string()
});
export const ResetMessage = v.object({ eventType: v.literal('reset'), timestamp, reason: v.string() });
export const ByeMessage = v.object({
	eventType: v.literal('bye'),
	timestamp,
	/** removed: no longer a member of the project, or the project is gone. */
	reason: v.picklist(['signed_out', 'session_expired', 'shutdown', 'replaced', 'timeout', 'removed'])
});
/** Only in a project's stream: its topics are to be read again. */
export const ProposalUpdateMessage = v.object({
	eventType: v.literal('proposal-update'),
	timestamp,
	proposal: v.object({
		id: v.string(),
		title: v.string(),
		status: v.picklist(['open', 'accepted', 'dismissed', 'gone']),
		confidence: v.number(),
		rev: v.number(),
		created_at: v.string()
	})
});

export const StreamMessage = v.variant('eventType', [
	ConnectedMessage,
	SnapshotMessage,
	FileUpdateMessage,
	FileDeletedMessage,
	ProposalUpdateMessage,
	HeartbeatMessage,
	ResetMessage,
	ByeMessage
]);
export const streamEvents = [
	'connected',
	'snapshot',
	'file-update',
	'file-deleted',
	'proposal-update',
	'heartbeat',
	'reset',
	'bye'
] as const satisfies readonly v.InferOutput<typeof StreamMessage>['eventType'][];
export type StreamMessage = v.InferOutput<typeof StreamMessage>;
export type ByeReason = v.InferOutput<typeof ByeMessage>['reason'];

/** An event beyond files, by a name of its own (named-events.ts), as it arrives. */
export const NamedEvent = v.object({
	eventType: v.string(),
	timestamp,
	id: v.pipe(v.string(), v.uuid()),
	data: v.record(v.string(), v.unknown()),
	/** It comes again on each connection until it is confirmed by POST /api/events/seen. */
	kept: v.optional(v.literal(true))
});
export type NamedEvent = v.InferOutput<typeof NamedEvent>;

export const ChangesQuery = v.object({
	/** Whose files are meant. */
	user: v.optional(v.string()),
	cursor: v.optional(v.pipe(v.string(), v.maxLength(100))),
	/** Seconds to wait for a change when there is none yet. */
	wait: v.optional(v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.maxValue(60)), '0')
});
export const ChangesAnswer = v.object({
	changes: v.array(StreamMessage),
	/** What was kept for the person, and what else was told while the request waited. */
	events: v.optional(v.array(NamedEvent), []),
	cursor
});
export type ChangesAnswer = v.InferOutput<typeof ChangesAnswer>;

/** GET /api/files/:id/events: one file, closes by itself. */
export const FollowMessage = v.variant('eventType', [
	ConnectedMessage,
	v.object({
		eventType: v.literal('progress'),
		timestamp,
		status: Status,
		progress: v.number(),
		processing_stage: v.nullable(Stage),
		message: v.string()
	}),
	v.object({ eventType: v.literal('completed'), timestamp, result: StoredFile }),
	v.object({
		eventType: v.literal('failed'),
		timestamp,
		error: v.string(),
		details: v.record(v.string(), v.unknown())
	}),
	HeartbeatMessage,
	ByeMessage
]);
export type FollowMessage = v.InferOutput<typeof FollowMessage>;

export type FilesState = {
	readonly byId: ReadonlyMap<string, StoredFile>;
	/** Deleted ids: a message that was under way must not bring them back. */
	readonly tombstones: ReadonlySet<string>;
	/** While a snapshot comes in: the ids known before it that it has not named yet. */
	readonly unconfirmed: ReadonlySet<string> | undefined;
	/** A whole snapshot has arrived: an empty list now means that there are no files. */
	readonly isLoaded: boolean;
};

export const noFiles: FilesState = {
	byId: new Map(),
	tombstones: new Set(),
	unconfirmed: undefined,
	isLoaded: false
};

export function merge(state: FilesState, message: StreamMessage): FilesState {
	switch (message.eventType) {
		case 'connected':
			// With a cursor the connection continues; without one a snapshot follows.
			return message.cursor === null ? awaitSnapshot(state) : { ...state, unconfirmed: undefined };
		case 'reset':
			return awaitSnapshot(state);
		case 'snapshot':
			return takeSnapshot(state.unconfirmed ? state : awaitSnapshot(state), message.files, message.last);
		case 'file-update':
			return takeUpdate(state, message.file);
		case 'file-deleted':
			return takeDelete(state, message.file.id);
		case 'bye':
			// What one may no longer see is not kept to look at.
			return message.reason === 'removed' ? { ...noFiles, isLoaded: true } : state;
		case 'proposal-update':
		case 'heartbeat':
			return state;
	}
}

function awaitSnapshot(state: FilesState): FilesState {
	return { ...state, tombstones: new Set(), unconfirmed: new Set(state.byId.keys()) };
}

function takeSnapshot(state: FilesState, files: readonly StoredFile[], isLast: boolean): FilesState {
	const byId = new Map(state.byId);
	const unconfirmed = new Set(state.unconfirmed);
	for (const file of files) {
		if (state.tombstones.has(file.id)) continue;
		const known = byId.get(file.id);
		const isOlder = known !== undefined && known.rev >= file.rev && !unconfirmed.has(file.id);
		if (!isOlder) byId.set(file.id, file);
		unconfirmed.delete(file.id);
	}
	if (!isLast) return { ...state, byId, unconfirmed };
	for (const id of unconfirmed) byId.delete(id);
	return { ...state, byId, unconfirmed: undefined, isLoaded: true };
}

function takeUpdate(state: FilesState, file: StoredFile): FilesState {
	const known = state.byId.get(file.id);
	if (state.tombstones.has(file.id) || (known && known.rev >= file.rev)) return state;
	return {
		...state,
		byId: new Map(state.byId).set(file.id, file),
		unconfirmed: without(state.unconfirmed, file.id)
	};
}

function takeDelete(state: FilesState, id: string): FilesState {
	if (state.tombstones.has(id)) return state;
	const byId = new Map(state.byId);
	byId.delete(id);
	return {
		...state,
		byId,
		tombstones: new Set(state.tombstones).add(id),
		unconfirmed: without(state.unconfirmed, id)
	};
}

function without(ids: ReadonlySet<string> | undefined, id: string): ReadonlySet<string> | undefined {
	if (!ids?.has(id)) return ids;
	const rest = new Set(ids);
	rest.delete(id);
	return rest;
}

/**
 * Proof of being in sync: `<count>-<hex>` over (id, rev) in any order. Per file the first and the last 32 bits of the id, each
 * times (rev + 1); both sums modulo 2^32. The database computes the same in one aggregate (files/changes.ts).
 */
export function digestOf(files: Iterable<Pick<StoredFile, 'id' | 'rev'>>): string {
	let count = 0;
	let head = 0;
	let tail = 0;
	for (const { id, rev } of files) {
		count += 1;
		head = (head + Math.imul(parseInt(id.slice(0, 8), 16), rev + 1)) | 0;
		tail = (tail + Math.imul(parseInt(id.slice(-8), 16), rev + 1)) | 0;
	}
	return `${count}-${hex(head)}${hex(tail)}`;
}

export function countActive(files: Iterable<Pick<StoredFile, 'status'>>): number {
	let active = 0;
	for (const file of files) if (!isTerminal(file.status)) active += 1;
	return active;
}

function hex(word: number): string {
	return (word >>> 0).toString(16).padStart(8, '0');
}
