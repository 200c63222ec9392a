import { Readable } from 'node:stream';

/** The body as a stream that fails when nothing arrives for so long, and ends the request when nobody wants it. */
export function watch(response: Response, abort: AbortController, stallMs: number): Readable {
	const { body } = response;
	if (!body) return Readable.from([]);
	const expected = Number(response.headers.get('content-length') ?? Number.NaN);
	const stream = Readable.from(pieces(body, { abort, stallMs, expected }), { objectMode: false });
	stream.once('close', () => abort.abort(new Error('nobody reads it any more')));
	return stream;
}

type Watched = { abort: AbortController; stallMs: number; expected: number };

async function* pieces(body: ReadableStream<Uint8Array>, { abort, stallMs, expected }: Watched) {
	const reader = body.getReader();
	let arrived = 0;
	for (;;) {
		// Only while we wait for them: a slow reader of ours is no stall of theirs.
		const timer = setTimeout(() => abort.abort(new Error('the download stalled')), stallMs);
		const { done, value } = await reader.read().finally(() => clearTimeout(timer));
		if (done) break;
		arrived += value.length;
		yield value;
	}
	if (Number.isFinite(expected) && arrived !== expected) throw new Error('the download was cut short');
}
