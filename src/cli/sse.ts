// text/event-stream from a terminal: every frame as it came.
export type Frame = { event: string; id: string | undefined; data: string };

export type Reader = {
	response: Response;
	/** The next frame; undefined when the stream has ended or `ms` have passed. */
	next(ms: number): Promise<Frame | undefined>;
	close(): void;
};

export async function openSse(url: URL, headers: Record<string, string>): Promise<Reader> {
	const controller = new AbortController();
	const response = await fetch(url, {
		headers: { accept: 'text/event-stream', ...headers },
		signal: controller.signal
	});
	const frames = framesOf(response);
	let pending: Promise<IteratorResult<Frame>> | undefined;
	return {
		response,
		async next(ms) {
			// A frame that came too late is the next one's answer.
			pending ??= frames.next();
			const result = await withLimit(pending, ms);
			if (result === undefined) return undefined;
			pending = undefined;
			return result.done ? undefined : result.value;
		},
		close() {
			pending?.catch(() => undefined);
			controller.abort();
		}
	};
}

async function* framesOf(response: Response): AsyncGenerator<Frame, undefined> {
	const decoder = new TextDecoder();
	let rest = '';
	for await (const bytes of response.body ?? []) {
		const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
		rest = blocks.pop() ?? '';
		for (const block of blocks) yield parse(block);
	}
	return undefined;
}

function parse(block: string): Frame {
	const lines = block.split('\n');
	const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
	return { event: field('event') ?? 'message', id: field('id'), data: field('data') ?? '' };
}

async function withLimit<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
