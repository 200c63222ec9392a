// How every operation on projects is called, for the test of the description (openapi.test.ts).
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { addTo, begin, enterAs, invite, join } from './project-people.ts';
import type { Person } from './person.ts';

type Call = { path: string; options?: RequestInit; status: number };

const nobody = '00000000-0000-4000-8000-000000000000';
const with_ = (method: string, body?: unknown): RequestInit => ({
	method,
	...(body !== undefined && { body: JSON.stringify(body) })
});

export async function projectCalls(server: { url: string }, ada: Person): Promise<Record<string, Call[]>> {
	const bob = await enterAs(server, 'bob-of-projects@localhost');
	const eve = await enterAs(server, 'eve-of-projects@localhost');
	const [project, theirs, gone] = [await begin(ada), await begin(bob, 'Theirs'), await begin(ada, 'Gone')];
	await join(ada, project, bob, 'viewer');
	await addTo(ada, project, 'a.txt', 'The quay wall stands. Nobody moved the quay wall.');
	await addTo(ada, project, 'b.txt', 'Cracks in the quay wall.');
	const email = (await (await ada.ask(`/api/projects/${project.id}/members`)).json()).members[0].email;
	const [toAccept, toDecline] = [
		await invite(bob, theirs, email),
		await invite(eve, await begin(eve), email)
	];
	const toRevoke = await invite(ada, project, 'x@example.org');
	const at = `/api/projects/${project.id}`;
	const proposal = await eventually(
		async () => {
			const { proposals } = await (await ada.ask(`${at}/proposals`)).json();
			expect(proposals).not.toEqual([]);
			return proposals[0];
		},
		{ timeoutMs: 20_000 }
	);
	const missing = (rest: string, method: string, body?: unknown): Call => ({
		path: `/api/projects/${nobody}${rest}`,
		options: with_(method, body),
		status: 404
	});
	const ok = (path: string, status = 200, method = 'GET', body?: unknown): Call => ({
		path,
		options: with_(method, body),
		status
	});
	return {
		'GET /api/projects': [ok('/api/projects')],
		'POST /api/projects': [
			ok('/api/projects', 201, 'POST', { name: 'New' }),
			ok('/api/projects', 400, 'POST', { name: '' })
		],
		'GET /api/projects/{id}': [ok(at), missing('', 'GET')],
		'PATCH /api/projects/{id}': [
			ok(at, 200, 'PATCH', { name: 'Renamed' }),
			missing('', 'PATCH', { name: 'x' })
		],
		'GET /api/projects/{id}/members': [ok(`${at}/members`), missing('/members', 'GET')],
		'PATCH /api/projects/{id}/members/{userId}': [
			ok(`${at}/members/${bob.userId}`, 200, 'PATCH', { role: 'editor' }),
			ok(`${at}/members/${eve.userId}`, 404, 'PATCH', { role: 'editor' })
		],
		'DELETE /api/projects/{id}/members/{userId}': [
			ok(`${at}/members/${bob.userId}`, 204, 'DELETE'),
			ok(`${at}/members/${eve.userId}`, 404, 'DELETE')
		],
		'GET /api/projects/{id}/invitations': [ok(`${at}/invitations`), missing('/invitations', 'GET')],
		'POST /api/projects/{id}/invitations': [
			ok(`${at}/invitations`, 201, 'POST', { email: 'y@example.org' }),
			ok(`${at}/invitations`, 409, 'POST', { email })
		],
		'DELETE /api/projects/{id}/invitations/{invitationId}': [
			ok(`${at}/invitations/${toRevoke.id}`, 204, 'DELETE'),
			ok(`${at}/invitations/${toRevoke.id}`, 404, 'DELETE')
		],
		'GET /api/invitations': [ok('/api/invitations')],
		'POST /api/invitations/{id}/accept': [
			ok(`/api/invitations/${toAccept.id}/accept`, 200, 'POST'),
			ok(`/api/invitations/${toAccept.id}/accept`, 404, 'POST')
		],
		'DELETE /api/invitations/{id}': [
			ok(`/api/invitations/${toDecline.id}`, 204, 'DELETE'),
			ok(`/api/invitations/${toDecline.id}`, 404, 'DELETE')
		],
		'GET /api/projects/{id}/files': [ok(`${at}/files?limit=1`), missing('/files', 'GET')],
		'GET /api/projects/{id}/proposals': [ok(`${at}/proposals`), missing('/proposals', 'GET')],
		'PATCH /api/projects/{id}/proposals/{proposalId}': [
			ok(`${at}/proposals/${proposal.id}`, 200, 'PATCH', { status: 'accepted' }),
			ok(`${at}/proposals/${nobody}`, 404, 'PATCH', { status: 'accepted' })
		],
		'GET /api/projects/{id}/changes': [ok(`${at}/changes`), missing('/changes', 'GET')],
		// Refusals; what they say is tried with the other streams.
		'GET /api/projects/{id}/events': [missing('/events', 'GET')],
		'GET /api/projects/{id}/status': [missing('/status', 'GET')],
		'DELETE /api/projects/{id}': [ok(`/api/projects/${gone.id}`, 204, 'DELETE'), missing('', 'DELETE')]
	};
}
