// GET /api/projects/:id/status: the same stream in shapes that clients of another server know, to the letter
// (shared/projects.ts). Those clients listen with `onmessage`, so these messages have no event name; what they do not
// know (heartbeat, reset, bye) has its own, and does not reach them there.
import type { StoredFile } from '#lib/shared/files.ts';
import { isTerminal } from '#lib/shared/files.ts';
import type { StatusMessage } from '#lib/shared/projects.ts';
import type { Change, ChangedProposal } from '../files/changes.ts';
import { blankLine, idLine } from './frames.ts';
import { sentenceOf } from './sentence.ts';
import type { Voice } from './voice.ts';

export function createStatusVoice(): Voice {
	/** The status last told of each file at work: ticks of one that was told are progress only. */
	const told = new Map<string, string>();

	function sayFile(file: StoredFile): StatusMessage[] {
		const { id, status, filename, updated_at } = file;
		const isKnown = told.get(id) === status;
		if (isTerminal(status)) told.delete(id);
		else told.set(id, status);
		const update = {
			type: 'status_update' as const,
			sourceId: id,
			status,
			sourceName: filename,
			updatedAt: updated_at
		};
		return [...(isKnown ? [] : [update]), progressOf(file)];
	}

	function sayChange({ id, rev, file, proposal }: Change): StatusMessage[] {
		if (proposal) return [sayProposal(proposal, rev === 1)];
		if (file) return sayFile(file);
		told.delete(id);
		const updatedAt = new Date().toISOString();
		return [{ type: 'status_update', sourceId: id, status: 'deleted', sourceName: '', updatedAt }];
	}

	return {
		connected: () => whole([{ type: 'connected', message: 'Connected to status updates' }]),
		snapshot: (files, _, cursor) => whole(files.flatMap(sayFile), cursor),
		proposals: (proposals) => whole(proposals.map((proposal) => sayProposal(proposal, true))),
		update: ({ change, event }) => ({ change, event, body: () => open(sayChange(change)) })
	};
}

function progressOf(file: StoredFile): StatusMessage {
	const { id, status, progress, processing_stage, updated_at } = file;
	const isDone = status === 'completed';
	return {
		type: 'progress_update',
		jobId: id,
		progress: {
			stage: isDone ? 'complete' : isTerminal(status) ? status : (processing_stage ?? 'pending'),
			current: progress,
			total: 100,
			message: sentenceOf(file),
			timestamp: Date.parse(updated_at)
		}
	};
}

function sayProposal(
	{ id, title, status, confidence, created_at }: ChangedProposal,
	isNew: boolean
): StatusMessage {
	if (status === 'dismissed' || status === 'gone') return { type: 'proposal_deleted', proposalId: id };
	const type = isNew ? 'new_proposal' : 'proposal_update';
	return { type, proposalId: id, title, confidence, createdAt: created_at };
}

/** Without its end: `blankLine` or an id line must follow. */
function open(messages: readonly StatusMessage[]): Buffer {
	return Buffer.from(messages.map((message) => `data: ${JSON.stringify(message)}\n`).join('\n'));
}

function whole(messages: readonly StatusMessage[], cursor?: string): Buffer {
	return Buffer.concat([open(messages), cursor === undefined ? blankLine : idLine(cursor)]);
}
