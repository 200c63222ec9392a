// The operations on projects, for the table in operations.ts.
import * as v from 'valibot';
import { ListAnswer, ListQuery } from './api.ts';
import type { ErrorCode } from './errors.ts';
import {
	ByeMessage,
	ChangesAnswer,
	ChangesQuery,
	HeartbeatMessage,
	ResetMessage,
	StreamMessage
} from './events.ts';
import type { Answer, Operation, Schema } from './operations.ts';
import * as shapes from './projects.ts';
import { StreamQuery } from './stream-query.ts';

const json = (schema: Schema): Answer => ({ kind: 'json', schema });
const jsonBody = (schema: Schema) => ({ type: 'application/json' as const, schema });
const events = (schema: Schema): Answer => ({ kind: 'events', schema });
const nothing: Answer = { kind: 'nothing' };
const ofMembers: ErrorCode[] = ['project.not_found'];
const byRole: ErrorCode[] = ['project.not_found', 'project.forbidden'];
const streamErrors: ErrorCode[] = ['project.not_found', 'stream.too_many'];
const StatusFrame = v.union([shapes.StatusMessage, HeartbeatMessage, ResetMessage, ByeMessage]);

// prettier-ignore
export const projectOperations: readonly Operation[] = [
	{ method: 'GET', path: '/api/projects', group: 'Projects', summary: 'Your projects', access: 'read', answers: { 200: json(shapes.ProjectsAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/projects', group: 'Projects', summary: 'Begin a project', access: 'write', body: jsonBody(shapes.NewProject), answers: { 201: json(shapes.Project) }, errors: ['project.too_many'] },
	{ method: 'GET', path: '/api/projects/{id}', group: 'Projects', summary: 'One project', access: 'read', answers: { 200: json(shapes.Project) }, errors: ofMembers },
	{ method: 'PATCH', path: '/api/projects/{id}', group: 'Projects', summary: 'Rename a project', access: 'write', body: jsonBody(shapes.NewProject), answers: { 200: json(shapes.Project) }, errors: byRole },
	{ method: 'DELETE', path: '/api/projects/{id}', group: 'Projects', summary: 'Delete a project; its files are the owner’s own then', access: 'write', answers: { 204: nothing }, errors: byRole },
	{ method: 'GET', path: '/api/projects/{id}/members', group: 'Projects', summary: 'The members', access: 'read', answers: { 200: json(shapes.MembersAnswer) }, errors: ofMembers },
	{ method: 'PATCH', path: '/api/projects/{id}/members/{userId}', group: 'Projects', summary: 'Change what a member may do', access: 'write', body: jsonBody(shapes.MemberChange), answers: { 200: json(shapes.Member) }, errors: [...byRole, 'project.owner_stays'] },
	{ method: 'DELETE', path: '/api/projects/{id}/members/{userId}', group: 'Projects', summary: 'Remove a member, or leave', access: 'write', answers: { 204: nothing }, errors: [...byRole, 'project.owner_stays'] },
	{ method: 'GET', path: '/api/projects/{id}/invitations', group: 'Projects', summary: 'Invitations that wait', access: 'read', answers: { 200: json(shapes.InvitationsAnswer) }, errors: byRole },
	{ method: 'POST', path: '/api/projects/{id}/invitations', group: 'Projects', summary: 'Invite an e-mail address, or offer the project to a member', access: 'write', body: jsonBody(shapes.NewInvitation), answers: { 201: json(shapes.Invitation) }, errors: [...byRole, 'project.already_member', 'project.not_a_member', 'invitation.too_many'] },
	{ method: 'DELETE', path: '/api/projects/{id}/invitations/{invitationId}', group: 'Projects', summary: 'Withdraw an invitation', access: 'write', answers: { 204: nothing }, errors: [...byRole, 'invitation.not_found'] },
	{ method: 'GET', path: '/api/invitations', group: 'Projects', summary: 'Invitations for you', access: 'read', answers: { 200: json(shapes.InvitationsAnswer) }, errors: [] },
	{ method: 'POST', path: '/api/invitations/{id}/accept', group: 'Projects', summary: 'Accept an invitation', access: 'write', answers: { 200: json(shapes.Project) }, errors: ['invitation.not_found', 'project.too_many_members', 'project.too_many', 'project.at_work', 'upload.quota_exceeded'] },
	{ method: 'DELETE', path: '/api/invitations/{id}', group: 'Projects', summary: 'Decline an invitation', access: 'write', answers: { 204: nothing }, errors: ['invitation.not_found'] },
	{ method: 'GET', path: '/api/projects/{id}/files', group: 'Projects', summary: 'Files of a project, newest first', access: 'read', query: ListQuery, answers: { 200: json(ListAnswer) }, errors: ofMembers },
	{ method: 'GET', path: '/api/projects/{id}/proposals', group: 'Projects', summary: 'Topics that the files suggest', access: 'read', answers: { 200: json(shapes.ProposalsAnswer) }, errors: ofMembers },
	{ method: 'PATCH', path: '/api/projects/{id}/proposals/{proposalId}', group: 'Projects', summary: 'Accept, rename or dismiss a topic', access: 'write', body: jsonBody(shapes.ProposalChange), answers: { 200: json(shapes.Proposal) }, errors: [...byRole, 'proposal.not_found', 'proposal.title_taken'] },
	{ method: 'GET', path: '/api/projects/{id}/events', group: 'Streams', summary: 'The files of a project, live', access: 'read', query: StreamQuery, answers: { 200: events(StreamMessage) }, errors: [...streamErrors, 'auth.ticket_invalid'] },
	{ method: 'GET', path: '/api/projects/{id}/status', group: 'Streams', summary: 'The same for clients that listen with onmessage', access: 'read', query: StreamQuery, answers: { 200: events(StatusFrame) }, errors: [...streamErrors, 'auth.ticket_invalid'] },
	{ method: 'GET', path: '/api/projects/{id}/changes', group: 'Streams', summary: 'The stream of a project for clients that cannot stream', access: 'read', query: ChangesQuery, answers: { 200: json(ChangesAnswer) }, errors: streamErrors }
];
