import { problem } from '../errors.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whatever is not an id cannot be the id of a file: the same answer as for a file that does not exist. */
export function checkFileId(id: string): string {
	if (!uuid.test(id)) throw problem('file.not_found');
	return id;
}
