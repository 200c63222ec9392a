// Formats whose library needs the whole text at once: only up to a size that fits a worker.
import { decode } from './encoding.ts';
import type { Source } from './source.ts';

/** undefined: too large; the caller reads it as lines instead. */
export async function readWhole(source: Source, maxBytes: number): Promise<string | undefined> {
	if (source.sizeBytes > maxBytes) return undefined;
	const pieces: string[] = [];
	for await (const piece of decode(source.path, (done) =>
		source.tick({ done, total: source.sizeBytes, unit: 'bytes' })
	)) {
		pieces.push(piece);
	}
	return pieces.join('');
}
