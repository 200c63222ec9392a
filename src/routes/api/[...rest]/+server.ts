import type { RequestHandler } from './$types';

/** Addresses that are not there answer like the rest of the API, whatever the method. */
export const fallback: RequestHandler = ({ locals }) => {
	throw locals.app.errors.problem('request.not_found');
};
