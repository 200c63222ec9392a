import { SearchQuery } from '#lib/shared/api.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, url }) => {
	const { userId } = app.auth.require(session);
	const { type, file, after, before, q = '' } = given(url.searchParams);
	const asked = { q: q.trim(), type, file, after, before };
	if (asked.q === '') return { asked, within: undefined, answer: undefined };
	const query = app.parse(SearchQuery, { ...asked, limit: '40' });
	const [answer, within] = await Promise.all([
		app.search.find(userId, query),
		query.file === undefined ? undefined : app.files.find(userId, query.file)
	]);
	return { asked, within: within && { id: within.id, filename: within.filename }, answer };
};

/** A form sends its empty fields too. */
function given(params: URLSearchParams): Record<string, string | undefined> {
	return Object.fromEntries([...params].filter(([, value]) => value !== ''));
}
