// People who share projects, over HTTP.
import { expect } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import type { GivenRole, Invitation, Project, Role } from '#lib/shared/projects.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { enter, type Person } from './person.ts';

export type Colleague = Person & { email: string; userId: string };

export async function enterAs(server: { url: string }, email: string): Promise<Colleague> {
	const person = await enter(server, email);
	// A project of one's own tells who one is.
	const { id } = await begin(person, `of ${email}`);
	const { members } = await (await person.ask(`/api/projects/${id}/members`)).json();
	await person.ask(`/api/projects/${id}`, { method: 'DELETE' });
	return { ...person, email, userId: members[0].user_id };
}

export async function begin(person: Person, name = 'Harbour'): Promise<Project> {
	const answer = await post(person, '/api/projects', { name });
	expect(answer.status).toBe(201);
	return answer.json();
}

export const post = (person: Person, path: string, body: unknown = {}) => send(person, 'POST', path, body);

export const send = (person: Person, method: string, path: string, body?: unknown) =>
	person.ask(path, {
		method,
		headers: { 'content-type': 'application/json' },
		...(body === undefined ? {} : { body: JSON.stringify(body) })
	});

export async function codeOf(answer: Promise<Response>): Promise<string> {
	const response = await answer;
	return response.ok ? String(response.status) : `${response.status} ${(await response.json()).code}`;
}

export async function invite(
	owner: Person,
	project: { id: string },
	email: string,
	role: Role = 'viewer'
): Promise<Invitation> {
	const answer = await post(owner, `/api/projects/${project.id}/invitations`, { email, role });
	expect(answer.status).toBe(201);
	return answer.json();
}

/** Invited, and in. */
export async function join(owner: Person, project: { id: string }, person: Colleague, role: GivenRole) {
	const { id } = await invite(owner, project, person.email, role);
	expect((await post(person, `/api/invitations/${id}/accept`)).status).toBe(200);
}

export async function addTo(
	person: Person,
	project: { id: string },
	filename: string,
	content: string
): Promise<StoredFile> {
	const answer = await uploadTo(person, project, filename, content);
	expect(answer.status).toBe(201);
	return (await answer.json()).files[0];
}

export const uploadTo = (person: Person, project: { id: string }, filename: string, content: string) =>
	person.ask(`/api/files/upload?project=${project.id}`, {
		method: 'POST',
		headers: { 'content-type': multipartType },
		body: new Uint8Array(multipartBody([{ filename, content }]))
	});

export async function filesIn(person: Person, project: { id: string }): Promise<StoredFile[]> {
	return (await (await person.ask(`/api/projects/${project.id}/files`)).json()).files;
}
