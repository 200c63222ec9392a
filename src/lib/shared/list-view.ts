// How a person looks at the list: what of it, and in which order. It stands in the address, so that it survives a
// reload, can be sent to somebody, and works as a plain form. What cannot be understood is left out.
import * as v from 'valibot';
import type { Status } from './files.ts';
import { Kind } from './kinds.ts';
import { limits } from './limits.ts';

export const shows = {
	moving: { name: 'In progress', statuses: ['pending', 'processing'] },
	completed: { name: 'Searchable', statuses: ['completed'] },
	failed: { name: 'Failed', statuses: ['failed'] },
	cancelled: { name: 'Cancelled', statuses: ['cancelled'] }
} as const satisfies Record<string, { name: string; statuses: readonly Status[] }>;

export const sorts = {
	newest: 'Newest',
	name: 'Name',
	size: 'Largest',
	status: 'Status'
} as const;

/** What needs somebody comes first. */
export const statusOrder: readonly Status[] = ['failed', 'processing', 'pending', 'cancelled', 'completed'];

const orUndefined = <T extends v.GenericSchema>(schema: T) => v.fallback(v.optional(schema), undefined);

export const ListView = v.object({
	status: orUndefined(v.picklist(['moving', 'completed', 'failed', 'cancelled'])),
	type: orUndefined(Kind),
	name: v.fallback(v.optional(v.pipe(v.string(), v.trim(), v.maxLength(limits.maxFilenameLength)), ''), ''),
	sort: v.fallback(v.optional(v.picklist(['newest', 'name', 'size', 'status']), 'newest'), 'newest')
});
export type ListView = v.InferOutput<typeof ListView>;
export type Sort = ListView['sort'];

export function readView(params: URLSearchParams): ListView {
	return v.parse(ListView, Object.fromEntries(params));
}

/** The address of a view; what is as usual is not said. */
export function viewParams({ status, type, name, sort }: ListView): URLSearchParams {
	const params = new URLSearchParams();
	if (status) params.set('status', status);
	if (type) params.set('type', type);
	if (name) params.set('name', name);
	if (sort !== 'newest') params.set('sort', sort);
	return params;
}

export function isFiltered({ status, type, name }: ListView): boolean {
	return status !== undefined || type !== undefined || name !== '';
}
