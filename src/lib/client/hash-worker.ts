// The SHA-256 of files, one after the other, away from the page's thread. The browser's own crypto can only hash what
// is in memory as a whole.
import { createSHA256 } from 'hash-wasm';

export type HashRequest = { id: number; file: Blob };
export type HashAnswer = { id: number; sha256: string | undefined };

let turn: Promise<void> = Promise.resolve();

self.addEventListener('message', ({ data }: MessageEvent<HashRequest>) => {
	turn = turn.then(async () => {
		const answer: HashAnswer = { id: data.id, sha256: await hash(data.file) };
		self.postMessage(answer);
	});
});

/** undefined: the file cannot be read any more, or there is no WebAssembly. */
async function hash(file: Blob): Promise<string | undefined> {
	try {
		const sha256 = await createSHA256();
		const reader = file.stream().getReader();
		for (let piece = await reader.read(); !piece.done; piece = await reader.read())
			sha256.update(piece.value);
		return sha256.digest('hex');
	} catch {
		return undefined;
	}
}
