// Every error code that can leave Asura. A code never changes once released; each says what happened, what was kept
// and the one action that helps, so that a failure can be shown without knowing where it came from.
import * as v from 'valibot';

export type Problem = {
	status: number;
	/** What happened: one sentence for a person. */
	message: string;
	/** What was kept. */
	kept: string;
	/** The one action that helps. */
	action: string;
	/** Whether the same thing tried again can succeed. */
	retry: boolean;
};

const nothingKept = 'Nothing was stored.';
const originalKept = 'The original is kept.';
const unchanged = 'Nothing was changed.';

// prettier-ignore
export const problems = {
	'request.invalid': p(400, 'The request could not be understood.', unchanged, 'Correct the request.'),
	'request.not_found': p(404, 'There is nothing at this address.', unchanged, 'Check the address.'),
	'request.method_not_allowed': p(405, 'This address does not take that method.', unchanged, 'Use an allowed method.'),
	'request.wrong_host': p(421, 'This server does not answer for that host name.', unchanged, 'Open Asura by its own address.'),
	'request.too_large': p(413, 'The request is larger than this address takes.', unchanged, 'Send less at once.'),
	'request.timed_out': p(408, 'The request took too long to arrive.', unchanged, 'Send it again.', true),
	'request.header_too_large': p(431, 'The address or the headers of the request are too long.', unchanged, 'Send a shorter one.'),
	'request.too_many': p(429, 'Too many requests at once.', unchanged, 'Wait a moment, then try again.', true),
	'server.unexpected': p(500, 'Something went wrong on the server.', unchanged, 'Try again; quote the request id if it happens again.', true),
	'server.stopping': p(503, 'The server is stopping.', unchanged, 'Try again in a moment.', true),
	'server.unavailable': p(503, 'A part of the server cannot be reached.', unchanged, 'Try again in a moment.', true),
	'server.disk_full': p(507, 'There is too little room left on the disk of the server.', 'Nothing new was stored.', 'Ask the operator to make room, then try again.', true),

	'auth.required': p(401, 'Sign in to continue.', unchanged, 'Sign in.'),
	'auth.foreign_origin': p(403, 'The request came from another site.', unchanged, 'Use the page of this server.'),
	'auth.not_configured': p(404, 'This way of signing in is not configured.', unchanged, 'Use another way to sign in.'),
	'auth.refused': p(403, 'The sign-in was refused.', unchanged, 'Start the sign-in again.', true),
	'auth.not_allowed': p(403, 'Only an operator may do this.', unchanged, 'Ask an operator.'),
	'auth.not_invited': p(403, 'This address has not been invited.', unchanged, 'Ask the operator to invite it, or sign in with another account.'),
	'auth.key_invalid': p(401, 'This key is not valid: it is wrong, expired or revoked.', unchanged, 'Use another key, or make a new one.'),
	'auth.key_in_url': p(400, 'A key must not stand in an address, where others may read it.', unchanged, 'Revoke that key, and send a new one as Authorization: Bearer; for an EventSource, get a ticket.'),
	'auth.scope_missing': p(403, 'This key may not do that.', unchanged, 'Use a key with that scope.'),
	'auth.session_only': p(403, 'This is for a person who is signed in, not for a key.', unchanged, 'Sign in on the page.'),
	'auth.ticket_invalid': p(401, 'This ticket is not valid: it has been used, or its minute is over.', unchanged, 'Get a new ticket.', true),
	'auth.ticket_misplaced': p(400, 'A ticket opens streams only.', unchanged, 'Send a key as Authorization: Bearer.'),
	'auth.state_mismatch': p(400, 'The sign-in could not be matched to this browser.', unchanged, 'Start the sign-in again.', true),
	'auth.email_unverified': p(403, 'The provider has not confirmed that this e-mail address is yours.', unchanged, 'Confirm the address with the provider, then sign in again.', true),
	'auth.address_taken': p(409, 'Another account already has this e-mail address.', unchanged, 'Sign in as before, or ask the operator to join the accounts.'),
	'auth.provider_unreachable': p(502, 'The sign-in provider cannot be reached.', unchanged, 'Try again in a moment.', true),

	'upload.no_file': p(400, 'The upload holds no file.', nothingKept, 'Choose a file.'),
	'upload.malformed': p(400, 'The upload is not valid multipart/form-data.', nothingKept, 'Send the file as multipart/form-data.'),
	'upload.too_large': p(413, 'The file is larger than this server accepts.', nothingKept, 'Choose a smaller file.'),
	'upload.too_many_files': p(413, 'Too many files in one upload.', 'The files before the limit are kept.', 'Send fewer files at once.'),
	'upload.empty': p(400, 'The file is empty.', nothingKept, 'Choose a file with something in it.'),
	'upload.interrupted': p(400, 'The connection ended before the whole file arrived.', nothingKept, 'Upload the file again.', true),
	'upload.corrupted': p(400, 'The bytes that arrived are not the bytes that were sent.', nothingKept, 'Upload the file again.', true),
	'upload.bad_folder': p(400, 'The folder of the file is not a path, or is too long or too deep.', nothingKept, 'Upload the file from a shorter path.'),
	'upload.not_found': p(404, 'There is no such upload; unfinished ones are kept for a day.', nothingKept, 'Upload the file again.', true),
	'upload.offset_conflict': p(409, 'The upload does not go on from there.', 'What had arrived is kept.', 'Ask for its offset, then go on.', true),
	'upload.wrong_protocol': p(412, 'This address speaks tus 1.0.0.', unchanged, 'Send the header Tus-Resumable: 1.0.0.'),
	'upload.busy': p(423, 'Another request is sending this upload.', 'What had arrived is kept.', 'Try again in a moment.', true),
	'upload.too_many_open': p(429, 'Too many unfinished uploads of one person.', nothingKept, 'Finish or cancel some of them, then try again.', true),
	'upload.quota_exceeded': p(413, 'Your storage is full.', nothingKept, 'Delete files you no longer need.'),

	'file.not_found': p(404, 'There is no such file.', unchanged, 'Go back to the list.'),
	'file.unsupported_type': p(415, 'This type of file cannot be read.', nothingKept, 'Convert it to a supported type.'),
	'file.damaged': p(422, 'The file is damaged and cannot be read.', originalKept, 'Upload an intact copy.'),
	'file.protected': p(422, 'The document is encrypted, or protected against copying, and cannot be read.', originalKept, 'Upload a copy without that protection.'),
	'file.lost': p(410, 'The bytes of this file are missing from the storage.', 'Only what was read of it before is kept.', 'Upload it again, or restore a backup.'),
	'file.not_retryable': p(409, 'Only a file that has ended can be processed again; one that is completed only when that is asked for.', unchanged, 'Wait until the file has ended.'),
	'file.not_waiting': p(409, 'The file does not wait for its turn.', unchanged, 'Nothing needs to be done.'),
	'file.not_cancellable': p(409, 'The file has already ended.', unchanged, 'Nothing needs to be done.'),
	'file.variant_missing': p(404, 'This file has no such version.', unchanged, 'Download the original.'),
	'file.range_invalid': p(416, 'The requested range is outside the file.', unchanged, 'Request a range inside the file.'),
	'zip.too_large': p(413, 'The chosen files are too large for one archive.', unchanged, 'Choose fewer files at once.'),

	'project.not_found': p(404, 'There is no such project.', unchanged, 'Go back to your projects.'),
	'project.forbidden': p(403, 'Your role in this project does not allow that.', unchanged, 'Ask the owner of the project.'),
	'project.too_many': p(409, 'You have as many projects as one person may have.', unchanged, 'Delete one that you no longer need.'),
	'project.too_many_members': p(409, 'The project has as many members as it may have.', unchanged, 'Remove somebody first.'),
	'project.owner_stays': p(409, 'A project keeps its owner.', unchanged, 'Offer it to another member, or delete it.'),
	'project.at_work': p(409, 'Files of this project are being processed.', unchanged, 'Try again when they have ended.', true),
	'project.not_a_member': p(409, 'Only a member can be made the owner.', unchanged, 'Invite them to the project first.'),
	'project.already_member': p(409, 'Somebody with this address is a member already.', unchanged, 'Nothing needs to be done.'),
	'invitation.not_found': p(404, 'There is no such invitation for you, or it is no longer valid.', unchanged, 'Ask to be invited again, with the address that you sign in with.'),
	'invitation.too_many': p(409, 'Too many invitations of this project wait for an answer.', unchanged, 'Withdraw one of them.'),
	'proposal.not_found': p(404, 'There is no such topic.', unchanged, 'Load the project again.'),
	'proposal.title_taken': p(409, 'Another tag of this project has that name.', unchanged, 'Choose another name.'),

	'pdf.encrypted': p(422, 'The PDF is protected by a password.', originalKept, 'Retry with its password.', true),
	'pdf.no_text': p(422, 'The PDF has no text; it is probably a scan.', originalKept, 'Upload a version with a text layer.'),
	'pdf.too_many_pages': p(422, 'The PDF has more pages than can be read.', originalKept, 'Split the PDF.'),
	'image.too_many_pixels': p(422, 'The picture has more pixels than can be processed.', originalKept, 'Scale the picture down.'),
	'archive.bomb': p(422, 'The file unpacks to far more than its size.', originalKept, 'Upload the content unpacked.'),
	'table.too_large': p(422, 'The table has more rows or columns than can be read.', originalKept, 'Split the table.'),
	'text.no_text': p(422, 'No text was found in the file.', originalKept, 'Upload a version with text in it.'),

	'stage.timed_out': p(504, 'A step made no progress for too long.', originalKept, 'Retry.', true),
	'stage.out_of_memory': p(507, 'A step needed more memory than it may use.', originalKept, 'Split or shrink the file.'),
	'stage.crashed': p(500, 'A step stopped unexpectedly.', originalKept, 'Retry; report it if it happens again.', true),
	'embedding.rate_limited': p(503, 'The model provider allows no more requests for now.', originalKept, 'Retry later.', true),
	'embedding.rejected': p(502, 'The model provider refused the text.', originalKept, 'Check the key and the model, then retry.', true),
	'embedding.unreachable': p(502, 'The model provider cannot be reached.', originalKept, 'Check its address, then retry.', true),
	'vision.refused': p(422, 'The model refused some pictures; what is in them cannot be found.', originalKept, 'Upload a version with a text layer, or have them read by another model.'),
	'vision.cut_off': p(422, 'Some pictures hold more text than the model may write; their ends cannot be found.', originalKept, 'Upload them in smaller parts.'),
	'vision.too_many_pages': p(422, 'Not all pages without text were read from their pictures.', originalKept, 'Split the file.'),
	'job.gave_up': p(500, 'Processing stopped unexpectedly several times.', originalKept, 'Retry; report it if it happens again.', true),

	'account.not_confirmed': p(400, 'What was typed is not the address of this account.', unchanged, 'Type the address that is shown.'),
	'key.not_found': p(404, 'There is no such key.', unchanged, 'Look at the list of keys.'),
	'key.too_many': p(409, 'You have as many keys as one person may have.', unchanged, 'Revoke one that you no longer need.'),

	'processor.unreachable': p(502, 'The service that reads this type of file cannot be reached.', originalKept, 'Check its address, then retry.', true),
	'processor.silent': p(504, 'The service that reads this type of file took it, but was not heard of for too long.', originalKept, 'Retry.', true),
	'processor.failed': p(502, 'The service that reads this type of file could not process it.', originalKept, 'Retry; if it fails again, ask whoever runs that service.', true),
	'processor.nothing_searchable': p(422, 'The service that processed the file sent no text, so nothing in it can be searched.', originalKept, 'Let the service send the text that it reads.'),
	'processor.refused': p(401, 'The key, the signature or its time is not right.', unchanged, 'Use the key that both sides share, and a clock that is right.'),
	'processor.not_waiting': p(409, 'Nothing is expected for this file: it has ended, or was begun anew.', unchanged, 'Stop working on it.'),
	'processor.link_expired': p(410, 'This link has expired.', unchanged, 'Wait until the file is handed over again.'),

	'webhook.not_found': p(404, 'There is no such webhook.', unchanged, 'Go back to the list.'),
	'webhook.not_yours': p(403, 'Somebody else in the project made this webhook.', unchanged, 'Ask them; the owner of the project can remove it.'),
	'webhook.delivery_not_found': p(404, 'There is no such delivery; they are kept for 30 days.', unchanged, 'Go back to the list.'),
	'webhook.address_refused': p(422, 'A webhook cannot lead to that address.', unchanged, 'Use a public https:// address, or ask the operator.'),
	'webhook.too_many': p(409, 'There are as many webhooks as one person, or one project, may have.', unchanged, 'Remove one that is not needed any more.'),

	'search.query_missing': p(400, 'The search is empty.', unchanged, 'Type what you are looking for.'),
	'stream.too_many': p(429, 'Too many live connections of one person.', unchanged, 'Close a tab, then try again.', true)
} satisfies Record<string, Problem>;

export type ErrorCode = keyof typeof problems;

export const ErrorBody = v.object({
	code: v.string(),
	message: v.string(),
	requestId: v.string(),
	details: v.optional(v.record(v.string(), v.unknown()))
});
export type ErrorBody = v.InferOutput<typeof ErrorBody>;

export function findProblem(code: string | null): Problem | undefined {
	return code !== null && Object.hasOwn(problems, code) ? problems[code as ErrorCode] : undefined;
}

function p(status: number, message: string, kept: string, action: string, retry = false): Problem {
	return { status, message, kept, action, retry };
}
