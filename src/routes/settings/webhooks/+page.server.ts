// Webhooks of the person: plain forms, so that the page works without JavaScript.
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { NewWebhook } from '#lib/shared/webhooks.ts';
import type { Actions, PageServerLoad } from './$types';

const page = '/settings/webhooks';

export const load: PageServerLoad = async ({ locals: { app, session }, url }) => {
	const { userId } = app.auth.require(session);
	const openId = url.searchParams.get('of') ?? undefined;
	// Before the webhooks: what a delivery changes about its webhook is then shown with it.
	const log = openId && (await app.webhooks.deliveries(userId, openId, { limit: 20 }));
	const [webhooks, projects] = await Promise.all([app.webhooks.list(userId), app.projects.list(userId)]);
	return {
		webhooks,
		openId,
		deliveries: log ? log.deliveries : [],
		projects: projects.flatMap(({ id, name, role }) => (role === 'viewer' ? [] : [{ id, name }])),
		projectId: url.searchParams.get('project') ?? undefined
	};
};

export const actions: Actions = {
	async add({ locals: { app, session }, request }) {
		const { userId } = app.auth.require(session);
		const form = await request.formData();
		const url = form.get('url');
		try {
			const project = form.get('project') || undefined;
			const webhook = app.parse(NewWebhook, { url, events: form.getAll('event'), project });
			return { added: await app.webhooks.add(userId, webhook) };
		} catch (error) {
			const { code, status, message } = app.errors.toAppError(error);
			if (status >= 500) throw error;
			const said =
				code === 'request.invalid' ? 'A webhook needs an address and at least one event.' : message;
			return fail(status, { failure: said, url: typeof url === 'string' ? url : '' });
		}
	},
	async changeSecret({ locals: { app, session }, request }) {
		const { userId } = app.auth.require(session);
		const id = String((await request.formData()).get('id') ?? '');
		try {
			return { added: await app.webhooks.changeSecret(userId, id) };
		} catch (error) {
			const { status, message } = app.errors.toAppError(error);
			if (status >= 500) throw error;
			return fail(status, { failure: message });
		}
	},
	switchOn: (event) =>
		act(event, ({ app, userId, id }) => app.webhooks.change(userId, id, { is_enabled: true })),
	switchOff: (event) =>
		act(event, ({ app, userId, id }) => app.webhooks.change(userId, id, { is_enabled: false })),
	remove: (event) =>
		act(
			event,
			({ app, userId, id }) => app.webhooks.remove(userId, id),
			() => page
		),
	test: (event) => act(event, ({ app, userId, id }) => app.webhooks.test(userId, id)),
	replay: (event) => act(event, ({ app, userId, id, delivery }) => app.webhooks.replay(userId, id, delivery))
};

type Act = { app: App.Locals['app']; userId: string; id: string; delivery: string };

async function act(
	{ locals: { app, session }, request }: RequestEvent,
	todo: (act: Act) => Promise<unknown>,
	next = (id: string) => `${page}?of=${encodeURIComponent(id)}`
) {
	const { userId } = app.auth.require(session);
	const form = await request.formData();
	const id = String(form.get('id') ?? '');
	try {
		await todo({ app, userId, id, delivery: String(form.get('delivery') ?? '') });
	} catch (error) {
		const { status, message } = app.errors.toAppError(error);
		if (status >= 500) throw error;
		return fail(status, { failure: message });
	}
	redirect(303, next(id));
}
