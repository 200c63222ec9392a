// A project as the first paint shows it, and everything about it that works without JavaScript.
import { Readable } from 'node:stream';
import { fail, isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import type { Projects } from '#lib/server/projects/projects.ts';
import { MemberChange, NewInvitation, NewProject, ProposalChange } from '#lib/shared/projects.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, params, url, depends }) => {
	depends('asura:project');
	const { userId } = app.auth.require(session);
	const project = await app.projects.get(userId, params.id);
	const tag = url.searchParams.get('tag') || undefined;
	const [{ files, next }, members, proposals, invitations] = await Promise.all([
		app.files.list(userId, { tag }, project.id),
		app.projects.members.list(userId, project.id),
		app.projects.proposals.list(userId, project.id),
		project.role === 'owner' ? app.projects.invitations.list(userId, project.id) : []
	]);
	return { project, files, isAll: next === null, members, proposals, invitations, tag };
};

export const actions: Actions = {
	rename: (event) =>
		perform(event, (projects, userId, id, form) => {
			const { name } = event.locals.app.parse(NewProject, form);
			return projects.rename(userId, id, name);
		}),
	invite: (event) =>
		perform(event, (projects, userId, id, form) => {
			const { email, role } = event.locals.app.parse(NewInvitation, form);
			return projects.invitations.add(userId, id, email, role);
		}),
	revoke: (event) =>
		perform(event, (projects, userId, id, form) =>
			projects.invitations.revoke(userId, id, form.invitation ?? '')
		),
	role: (event) =>
		perform(event, (projects, userId, id, form) => {
			const { role } = event.locals.app.parse(MemberChange, form);
			return projects.members.setRole(userId, id, form.member ?? '', role);
		}),
	dismissMember: (event) =>
		perform(event, (projects, userId, id, form) => projects.members.remove(userId, id, form.member ?? '')),
	proposal: (event) =>
		perform(event, (projects, userId, id, { proposal = '', ...form }) => {
			const change = event.locals.app.parse(ProposalChange, form);
			return projects.proposals.change(userId, id, proposal, change);
		}),
	leave: (event) =>
		perform(event, async (projects, userId, id) => {
			await projects.members.remove(userId, id, userId);
			redirect(303, '/projects');
		}),
	delete: (event) =>
		perform(event, async (projects, userId, id) => {
			await projects.remove(userId, id);
			redirect(303, '/projects');
		}),
	async upload({ locals: { app, session }, params, request }) {
		const { userId } = app.auth.require(session);
		const { errors } = await app.uploads.receive({
			userId,
			into: await app.projects.reach(userId, params.id, 'editor'),
			body: Readable.from(request.body ?? []),
			contentType: request.headers.get('content-type') ?? '',
			signal: request.signal
		});
		if (errors.length > 0) return fail(422, { message: errors.map(({ message }) => message).join(' ') });
		redirect(303, `/projects/${params.id}`);
	}
};

type Act = (projects: Projects, userId: string, id: string, form: Record<string, string>) => Promise<unknown>;

/** What is refused is said on the page, where the form is. */
async function perform(
	{ locals: { app, session }, params, request }: RequestEvent<{ id: string }>,
	act: Act
) {
	const { userId } = app.auth.require(session);
	const entries = [...(await request.formData())].flatMap(([name, value]) =>
		typeof value === 'string' ? [[name, value] as const] : []
	);
	try {
		await act(app.projects, userId, params.id, Object.fromEntries(entries));
	} catch (error) {
		if (isRedirect(error)) throw error;
		const { status, message } = app.errors.toAppError(error);
		if (status >= 500 || status === 404) throw error;
		return fail(status, { message });
	}
	redirect(303, `/projects/${params.id}`);
}
