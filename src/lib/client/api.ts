// Asura's JSON endpoints, typed. Every refusal is an ApiError that can be shown as it is.
import * as v from 'valibot';
import {
	FileDetails,
	KnownAnswer,
	ListAnswer,
	ManyAnswer,
	PassagesAnswer,
	RetryAllAnswer,
	SearchAnswer
} from '#lib/shared/api.ts';
import { ErrorBody } from '#lib/shared/errors.ts';
import { type Status, StoredFile } from '#lib/shared/files.ts';
import { TicketAnswer } from '#lib/shared/keys.ts';
import { limits } from '#lib/shared/limits.ts';

export class ApiError extends Error {
	override readonly name = 'ApiError';
	readonly status: number;
	readonly code: string;
	readonly requestId: string | undefined;

	constructor(body: { code: string; message: string; requestId?: string }, status: number, cause?: unknown) {
		super(body.message, { cause });
		this.code = body.code;
		this.status = status;
		this.requestId = body.requestId;
	}
}

export type Api = ReturnType<typeof createApi>;
export type Beginning = { text: string; isWhole: boolean };
export type ManyAction = 'delete' | 'cancel' | 'retry';
export type Variant = 'original' | 'compressed' | 'thumbnail' | 'preview' | 'text';

export const offline = { code: 'network.unreachable', message: 'The server cannot be reached.' };

export function contentUrl(id: string, variant: Variant): string {
	return `/api/files/${encodeURIComponent(id)}/content?variant=${variant}`;
}

type ListOptions = {
	project?: string | undefined;
	after?: string;
	limit?: number;
	status?: Status;
};

export function createApi(fetch: typeof globalThis.fetch) {
	async function ask(url: string, init?: RequestInit): Promise<Response> {
		const answer = await fetch(url, init).catch((cause: unknown) => {
			if (init?.signal?.aborted) throw cause;
			throw new ApiError(offline, 0, cause);
		});
		if (answer.ok) return answer;
		throw refusal(await answer.text(), answer.status);
	}

	/** In as many requests as it takes; each file stands alone. */
	async function many(action: ManyAction, ids: readonly string[]): Promise<ManyAnswer> {
		const whole: ManyAnswer = { files: [], deleted: [], errors: [] };
		for (let at = 0; at < ids.length; at += limits.maxIdsPerRequest) {
			const some = ids.slice(at, at + limits.maxIdsPerRequest);
			// A delete that waited for its undo may be sent while the page goes away.
			const how = { ...asJson({ ids: some }), keepalive: action === 'delete' && ids.length <= some.length };
			const answer = v.parse(ManyAnswer, await (await ask(`/api/files/${action}`, how)).json());
			whole.files.push(...answer.files);
			whole.deleted.push(...answer.deleted);
			whole.errors.push(...answer.errors);
		}
		return whole;
	}

	return {
		many,
		async passages(id: string, after: number): Promise<PassagesAnswer> {
			return v.parse(PassagesAnswer, await (await ask(`/api/files/${id}/passages?after=${after}`)).json());
		},
		/** One's own or a project's, newest first; `next` is the next call's `after`. */
		async list({ project, ...options }: ListOptions = {}): Promise<ListAnswer> {
			const given = Object.entries(options).filter(([, value]) => value !== undefined);
			const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
			const path = project === undefined ? '/api/files' : `/api/projects/${project}/files`;
			return v.parse(ListAnswer, await (await ask(`${path}?${query}`)).json());
		},
		async get(id: string): Promise<StoredFile> {
			return toFile(await ask(`/api/files/${id}`));
		},
		/** The bytes of a file, as they come. */
		content(id: string, variant: Variant, signal?: AbortSignal): Promise<Response> {
			return ask(contentUrl(id, variant), { signal: signal ?? null });
		},
		/** Opens one stream within a minute, as `?ticket=`. */
		async ticket(): Promise<TicketAnswer> {
			return v.parse(TicketAnswer, await (await ask('/api/stream-tickets', { method: 'POST' })).json());
		},
		async search(
			q: string,
			options: { file?: string; project?: string | undefined; limit?: number; signal?: AbortSignal }
		): Promise<SearchAnswer> {
			const query = new URLSearchParams({ q, limit: String(options.limit ?? 8) });
			if (options.file) query.set('file', options.file);
			if (options.project) query.set('project', options.project);
			const answer = await ask(`/api/search?${query}`, { signal: options.signal ?? null });
			return v.parse(SearchAnswer, await answer.json());
		},
		/** The file after it was queued again. */
		async retry(id: string, how: { password?: string | undefined; again?: true } = {}): Promise<StoredFile> {
			return toFile(await ask(`/api/files/${id}/retry`, asJson(how)));
		},
		/** Those that had failed, after they were queued again. */
		async retryFailed(): Promise<StoredFile[]> {
			const answer = await ask('/api/files/retry', asJson({ status: 'failed' }));
			return v.parse(RetryAllAnswer, await answer.json()).files;
		},
		/** Of the files with these hashes one each: one's own or a project's. */
		async known(sha256: readonly string[], project?: string): Promise<StoredFile[]> {
			const answer = await ask('/api/files/known', asJson({ sha256, project }));
			return v.parse(KnownAnswer, await answer.json()).files;
		},
		async file(id: string): Promise<StoredFile> {
			return toFile(await ask(`/api/files/${id}`));
		},
		/** A resumable upload that nobody will finish. */
		async forgetUpload(url: string): Promise<void> {
			await ask(url, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } });
		},
		async details(id: string): Promise<FileDetails> {
			return v.parse(FileDetails, await (await ask(`/api/files/${id}/details`)).json());
		},
		async next(id: string): Promise<StoredFile> {
			return toFile(await ask(`/api/files/${id}/next`, { method: 'POST' }));
		},
		async cancel(id: string): Promise<StoredFile> {
			return toFile(await ask(`/api/files/${id}/cancel`, { method: 'POST' }));
		},
		/** Those that are gone already do not count as refused. */
		async remove(ids: readonly string[]): Promise<void> {
			const [only] = ids;
			if (only !== undefined && ids.length === 1) {
				await ask(`/api/files/${only}`, { method: 'DELETE', keepalive: true });
				return;
			}
			const { errors } = await many('delete', ids);
			const refused = errors.find(({ code }) => code !== 'file.not_found');
			if (refused) throw new ApiError(refused, 409);
		},
		/** The beginning of a file's text; nearly always that is all of it. */
		async text(
			id: string,
			{ maxBytes, signal }: { maxBytes: number; signal?: AbortSignal }
		): Promise<Beginning> {
			const headers = { range: `bytes=0-${maxBytes - 1}` };
			const answer = await ask(contentUrl(id, 'text'), { headers, signal: signal ?? null });
			const total = /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? '0';
			return { text: await answer.text(), isWhole: Number(total) <= maxBytes };
		},
		/** A file of our own static folder, as if the person had chosen it. */
		async sample(url: string): Promise<File> {
			const answer = await ask(url);
			const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
			return new File([await answer.blob()], decodeURIComponent(url.split('/').at(-1) ?? 'sample'), { type });
		}
	};
}

/** The error that an answer of the server tells; an answer that is not ours (a proxy's page) still gets a sentence. */
export function refusal(body: string, status: number): ApiError {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ErrorBody), body);
	if (parsed.success) return new ApiError(parsed.output, status);
	return new ApiError({ code: 'server.unexpected', message: `The server answered with ${status}.` }, status);
}

async function toFile(answer: Response): Promise<StoredFile> {
	return v.parse(StoredFile, await answer.json());
}

function asJson(body: unknown): RequestInit {
	return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
