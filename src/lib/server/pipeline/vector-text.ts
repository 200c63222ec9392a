import { setImmediate } from 'node:timers/promises';

/** Numbers to text takes about a millisecond per ten thousand; other work gets its turn in between. */
const numbersAtOnce = 20_000;

/** pgvector's way of writing a vector. */
export async function toVectorTexts(
	vectors: readonly (Float32Array | undefined)[]
): Promise<(string | undefined)[]> {
	const texts: (string | undefined)[] = [];
	let numbers = 0;
	for (const vector of vectors) {
		texts.push(vector && `[${vector.join(',')}]`);
		numbers += vector?.length ?? 0;
		if (numbers < numbersAtOnce) continue;
		numbers = 0;
		await setImmediate();
	}
	return texts;
}
