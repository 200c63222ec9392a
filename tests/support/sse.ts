// A minimal client of text/event-stream over node:http, for tests and tools: it shows every frame as it came, and can
// stop reading like a stalled reader.
import { type ClientRequest, get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { eventually } from './eventually.ts';

export type Frame = {
	event: string;
	id: string | undefined;
	retry: number | undefined;
	data: Record<string, unknown>;
	bytes: number;
	at: number;
};

export type SseClient = {
	status: number;
	headers: IncomingHttpHeaders;
	frames: Frame[];
	/** The id that a reconnecting client sends. */
	lastEventId: string | undefined;
	/** The body of an answer that is no stream. */
	text: string;
	isEnded: boolean;
	/** The first frame of that name from now on, or among those not asked for yet. */
	next(event: string, timeoutMs?: number): Promise<Frame>;
	named(event: string): Frame[];
	pause(): void;
	resume(): void;
	close(): void;
};

export type SseOptions = {
	cookie?: string;
	headers?: Record<string, string>;
	onFrame?: (frame: Frame) => void;
	onEnd?: () => void;
	/** false: frames are only shown to onFrame, for streams of very many. */
	isKept?: boolean;
};

export function openSse(url: string | URL, options: SseOptions = {}): Promise<SseClient> {
	return new Promise((resolve, reject) => {
		const headers = {
			accept: 'text/event-stream',
			...(options.cookie && { cookie: options.cookie }),
			...options.headers
		};
		const request = get(url, { headers, agent: false }, (response) =>
			resolve(read(request, response, options))
		);
		request.on('error', reject);
	});
}

function read(
	request: ClientRequest,
	response: IncomingMessage,
	{ onFrame, onEnd, isKept = true }: SseOptions
): SseClient {
	let rest = '';
	let asked = 0;
	const client: SseClient = {
		status: response.statusCode ?? 0,
		headers: response.headers,
		frames: [],
		lastEventId: undefined,
		text: '',
		isEnded: false,
		async next(event, timeoutMs = 10_000) {
			return eventually(
				() => {
					const at = client.frames.findIndex((frame, i) => i >= asked && frame.event === event);
					const frame = client.frames[at];
					if (!frame)
						throw new Error(`no ${event}; came: ${client.frames.map((one) => one.event).join(' ')}`);
					asked = at + 1;
					return frame;
				},
				{ timeoutMs, everyMs: 5 }
			);
		},
		named: (event) => client.frames.filter((frame) => frame.event === event),
		pause: () => void response.pause(),
		resume: () => void response.resume(),
		close: () => void request.destroy()
	};
	const isStream = response.headers['content-type']?.startsWith('text/event-stream');
	response.setEncoding('utf8');
	response.on('data', (text: string) => {
		if (!isStream) return void (client.text += text);
		const blocks = (rest + text).split('\n\n');
		rest = blocks.pop() ?? '';
		for (const block of blocks) {
			const frame = parse(block);
			if (isKept) client.frames.push(frame);
			client.lastEventId = frame.id ?? client.lastEventId;
			onFrame?.(frame);
		}
	});
	response.on('close', () => {
		client.isEnded = true;
		onEnd?.();
	});
	// A connection that is cut is an end like any other here.
	response.on('error', () => (client.isEnded = true));
	return client;
}

function parse(block: string): Frame {
	const fields = new Map(
		block.split('\n').map((line) => {
			const colon = line.indexOf(': ');
			return [line.slice(0, colon), line.slice(colon + 2)] as const;
		})
	);
	const retry = fields.get('retry');
	return {
		event: fields.get('event') ?? 'message',
		id: fields.get('id'),
		retry: retry === undefined ? undefined : Number(retry),
		data: JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown>,
		bytes: Buffer.byteLength(block) + 2,
		at: performance.now()
	};
}
