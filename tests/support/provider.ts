// A double of an OpenAI-compatible provider of vectors, and of a model that sees: the real wire format over real HTTP.
// It counts calls and inputs and fails on demand. Vectors depend on the words of the text alone, so texts that share words are near.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
	| { kind: 'rate_limited'; retryAfterSeconds?: number }
	| { kind: 'status'; status: number }
	| { kind: 'hang' }
	| { kind: 'wrong_dimensions' }
	| { kind: 'too_few' }
	| { kind: 'truncated' };

export type Call = {
	inputs: string[];
	model: string;
	at: number;
	fault: Fault['kind'] | undefined;
	authorization: string | undefined;
};

export type Look = { picture: Buffer; instruction: string; model: string };

export type ProviderDouble = {
	/** For OPENAI_BASE_URL. */
	url: string;
	calls: Call[];
	/** Inputs that were answered with a vector, in order: what a real provider would have billed. */
	paid: string[];
	/** Pictures that were read. */
	looks: Look[];
	/** Most requests that were open at the same moment. */
	peak: number;
	/** The next calls fail so, in this order. */
	failNext(...faults: Fault[]): void;
	/** Every call is asked; for faults by chance or by content. */
	failWhen(rule: ((call: { inputs: string[]; number: number }) => Fault | undefined) | undefined): void;
	close(): Promise<void>;
};

export type Said = {
	content: string | null;
	refusal: string | null;
	finish_reason: string;
	usage: { prompt_tokens: number; completion_tokens: number };
};

export type ProviderOptions = {
	dimensions?: number;
	latencyMs?: number;
	latencyPerInputMs?: number;
	/** A batch that holds such an input is answered with 400. */
	isPoisoned?: (input: string) => boolean;
	maxBatch?: number;
	/** What the model says of a picture; undefined is answered with 400. */
	describe?: (look: Look) => Promise<Partial<Said> | undefined>;
	apiKey?: string;
};

export async function startProviderDouble(options: ProviderOptions = {}): Promise<ProviderDouble> {
	const state = createState();
	const server = createServer((request, response) => {
		void answer(request, response, options, state).catch((error: unknown) =>
			response.destroy(error as Error)
		);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return Object.assign(state.double, {
		url: `http://127.0.0.1:${port}/v1`,
		close: () =>
			new Promise<void>((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			})
	});
}

type State = ReturnType<typeof createState>;

function createState() {
	const queue: Fault[] = [];
	let rule: Parameters<ProviderDouble['failWhen']>[0];
	const double = {
		calls: [] as Call[],
		paid: [] as string[],
		looks: [] as Look[],
		peak: 0,
		failNext: (...faults: Fault[]) => void queue.push(...faults),
		failWhen: (next: typeof rule) => void (rule = next)
	};
	return {
		double,
		open: 0,
		nextFault: (inputs: string[]) => queue.shift() ?? rule?.({ inputs, number: double.calls.length + 1 })
	};
}

async function answer(
	request: IncomingMessage,
	response: ServerResponse,
	options: ProviderOptions,
	state: State
) {
	const authorization = request.headers.authorization;
	if (options.apiKey !== undefined && authorization !== `Bearer ${options.apiKey}`) {
		request.resume();
		return send(response, 401, failure('Incorrect API key provided.', 'invalid_api_key'));
	}
	const isChat = request.url === '/v1/chat/completions';
	if (request.method !== 'POST' || (!isChat && request.url !== '/v1/embeddings')) {
		return send(response, 404, failure(`Unknown request ${request.method} ${request.url}`, 'unknown_url'));
	}
	const body = JSON.parse(await readAll(request)) as Body;
	const look = isChat ? lookOf(body) : undefined;
	const inputs = look ? ['(a picture)'] : [body.input].flat();
	const fault = state.nextFault(inputs);
	state.double.calls.push({ inputs, model: body.model, at: Date.now(), fault: fault?.kind, authorization });
	state.double.peak = Math.max(state.double.peak, ++state.open);
	response.once('close', () => state.open--);
	await delay((options.latencyMs ?? 0) + (options.latencyPerInputMs ?? 0) * inputs.length);
	if (fault && fault.kind !== 'wrong_dimensions' && fault.kind !== 'too_few' && fault.kind !== 'truncated')
		return fail(response, fault);
	if (look) return describe(response, look, options, state);
	const refused = inputs.some((input) => input === '' || options.isPoisoned?.(input));
	if (refused || inputs.length > (options.maxBatch ?? 2048)) {
		return send(response, 400, failure("Invalid 'input': refused by the double.", 'invalid_request_error'));
	}
	const dimensions =
		(body.dimensions ?? options.dimensions ?? 64) + (fault?.kind === 'wrong_dimensions' ? 1 : 0);
	const vectors = inputs.map((input) => wordVector(input, dimensions));
	if (fault?.kind === 'too_few') vectors.pop();
	if (!fault) state.double.paid.push(...inputs);
	const text = JSON.stringify(page(vectors, body.model, body.encoding_format ?? 'float', inputs));
	send(response, 200, fault?.kind === 'truncated' ? text.slice(0, Math.floor(text.length / 2)) : text);
}

type Body = {
	input: string | string[];
	model: string;
	encoding_format?: string;
	dimensions?: number;
	messages?: { content: { type: string; text?: string; image_url?: { url: string } }[] }[];
};

function lookOf({ model, messages = [] }: Body): Look {
	const parts = messages.flatMap(({ content }) => content);
	const url = parts.find(({ image_url }) => image_url)?.image_url?.url ?? '';
	const picture = Buffer.from(url.replace('data:image/jpeg;base64,', ''), 'base64');
	return { model, picture, instruction: parts.find(({ text }) => text)?.text ?? '' };
}

async function describe(
	response: ServerResponse,
	look: Look,
	options: ProviderOptions,
	state: State
): Promise<void> {
	const said = options.describe ? await options.describe(look) : {};
	if (!said) return send(response, 400, failure('The picture is refused by the double.', 'invalid_image'));
	state.double.looks.push(look);
	const { finish_reason = 'stop', content = 'A picture.', refusal = null, usage } = said;
	const choice = { index: 0, finish_reason, message: { role: 'assistant', content, refusal } };
	send(response, 200, { object: 'chat.completion', model: look.model, choices: [choice], usage });
}

function page(vectors: Float32Array[], model: string, format: string, inputs: string[]) {
	const tokens = inputs.reduce((sum, input) => sum + Math.ceil(input.length / 4), 0);
	return {
		object: 'list',
		model,
		data: vectors.map((vector, index) => ({
			object: 'embedding',
			index,
			embedding: format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
		})),
		usage: { prompt_tokens: tokens, total_tokens: tokens }
	};
}

function fail(response: ServerResponse, fault: Fault): void {
	if (fault.kind === 'hang') return;
	if (fault.kind === 'rate_limited') {
		if (fault.retryAfterSeconds !== undefined)
			response.setHeader('retry-after', String(fault.retryAfterSeconds));
		return send(response, 429, failure('Rate limit reached.', 'rate_limit_exceeded'));
	}
	if (fault.kind === 'status')
		send(response, fault.status, failure(`The double answers ${fault.status}.`, 'double'));
}

function send(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' });
	response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function failure(message: string, code: string) {
	return { error: { message, type: 'double', param: null, code } };
}

export function wordVector(text: string, dimensions: number): Float32Array {
	const vector = new Float32Array(dimensions);
	for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
		let hash = 2_166_136_261;
		for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 16_777_619) >>> 0;
		const at = hash % dimensions;
		vector[at] = (vector[at] ?? 0) + (hash & 1 ? 1 : -1) * 0.9 + 0.1;
	}
	const length = Math.hypot(...vector) || 1;
	return vector.map((value) => value / length);
}

function readAll(request: IncomingMessage): Promise<string> {
	return new Promise((resolve, reject) => {
		const parts: Buffer[] = [];
		request.on('data', (part: Buffer) => parts.push(part));
		request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
		request.on('error', reject);
	});
}

function delay(ms: number): Promise<void> {
	return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
