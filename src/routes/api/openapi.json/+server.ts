import { describe } from '#lib/shared/openapi.ts';
import type { RequestHandler } from './$types';

const description = JSON.stringify(describe());

export const GET: RequestHandler = () =>
	new Response(description, { headers: { 'content-type': 'application/json' } });
