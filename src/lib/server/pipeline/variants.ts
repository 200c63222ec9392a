import { createReadStream } from 'node:fs';
import type { Variants } from '../files/claim.ts';
import type { Derived } from './stage.ts';
import type { Work } from './work.ts';

/** Puts what a stage made beside the original; what it did not make is no variant. */
export async function keepVariant(
	{ blobs, claim }: Pick<Work, 'blobs' | 'claim'>,
	variant: string,
	derived: Derived | undefined
): Promise<Variants> {
	if (!derived) return {};
	const { path, type, bytes } = derived;
	await blobs.put(`${claim.file.blobId}/${variant}`, createReadStream(path));
	return { [variant]: { type, bytes } };
}
