// The list as the first paint shows it, and what the page can do without JavaScript.
import { Readable } from 'node:stream';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import type { Files } from '#lib/server/files/files.ts';
import { isFiltered, readView } from '#lib/shared/list-view.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, url }) => {
	const { userId } = app.auth.require(session);
	const view = readView(url.searchParams);
	// Bounded, so that nobody makes the database skip for ever.
	const page = Math.min(Math.max(1, Math.trunc(Number(url.searchParams.get('page'))) || 1), 10_000);
	const answer = await app.files.view(userId, view, page);
	const isAll = !isFiltered(view) && answer.files.length === answer.total;
	return { ...answer, isAll, page };
};

export const actions: Actions = {
	async upload({ locals: { app, session }, request }) {
		const { userId } = app.auth.require(session);
		const { errors } = await app.uploads.receive({
			userId,
			body: Readable.from(request.body ?? []),
			contentType: request.headers.get('content-type') ?? '',
			signal: request.signal
		});
		if (errors.length > 0) return fail(422, { errors });
		redirect(303, '/');
	},
	delete: (event) => perform(event, (files, ...file) => files.remove(...file)),
	retry: (event) => perform(event, (files, ...file) => files.retry(...file)),
	again: (event) => perform(event, (files, ...file) => files.retry(...file, { again: true })),
	next: (event) => perform(event, (files, ...file) => files.prefer(...file)),
	cancel: (event) => perform(event, (files, ...file) => files.cancel(...file)),
	async retryFailed({ locals: { app, session } }) {
		await app.files.retryFailed(app.auth.require(session).userId);
		redirect(303, '/');
	}
};

async function perform(
	{ locals: { app, session }, request }: RequestEvent,
	action: (files: Files, userId: string, id: string) => Promise<unknown>
) {
	const { userId } = app.auth.require(session);
	const id = (await request.formData()).get('id');
	await action(app.files, userId, typeof id === 'string' ? id : '');
	redirect(303, '/');
}
