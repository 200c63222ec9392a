// In which words a connection tells what it follows. Everything else (what is sent when, what is left out, where a
// client continues) is the same for both: `files` are the messages of shared/events.ts, `status` (status-voice.ts) those
// of clients that knew another server.
import type { StreamMessage } from '#lib/shared/events.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import type { ChangedProposal } from '../files/changes.ts';
import { frameOf, type Untimed, type Update } from './frames.ts';

export type Connected = Untimed<Extract<StreamMessage, { eventType: 'connected' }>>;

/** Frames are whole; with a cursor, the last of them carries it. */
export type Voice = {
	connected(message: Connected): Buffer;
	snapshot(files: readonly StoredFile[], isLast: boolean, cursor?: string): Buffer;
	/** What a snapshot says of proposals; undefined: nothing. */
	proposals?(proposals: readonly ChangedProposal[]): Buffer;
	update(update: Update): Update;
};

export const filesVoice: Voice = {
	connected: (message) => frameOf(message),
	snapshot: (files, last, cursor) => frameOf({ eventType: 'snapshot', files, last }, cursor),
	update: (update) => update
};
