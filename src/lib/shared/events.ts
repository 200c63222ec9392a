// Every message of the stream, and merge(): the ONE reducer that turns messages into what a browser shows.
//
// A message carries a file's state with its `rev`; the highest rev wins. So duplicates, overlap and reordering are
// harmless. A snapshot replaces: files that were known when its connection opened and are not in it are gone.
import * as v from 'valibot';
import { Stage, Status, StoredFile } from './files.ts';

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
	reason: v.picklist(['signed_out', 'session_expired', 'shutdown', 'replaced', 'timeout'])
});

export const StreamMessage = v.variant('eventType', [
	ConnectedMessage,
	SnapshotMessage,
	FileUpdateMessage,
	FileDeletedMessage,
	HeartbeatMessage,
	ResetMessage,
	ByeMessage
]);
export type StreamMessage = v.InferOutput<typeof StreamMessage>;
export type ByeReason = v.InferOutput<typeof ByeMessage>['reason'];

export const ChangesAnswer = v.object({ changes: v.array(StreamMessage), cursor });
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
