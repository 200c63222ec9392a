import { SearchQuery } from '#lib/shared/api.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, url }) => {
	const { userId } = app.auth.require(session);
	const q = url.searchParams.get('q')?.trim() ?? '';
	if (q === '') return { q, answer: undefined };
	const query = app.parse(SearchQuery, { q, limit: '40' });
	return { q, answer: await app.search.find(userId, query) };
};
