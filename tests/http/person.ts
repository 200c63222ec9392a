// A signed-in person with a program in hand: what the tests of the HTTP contract ask with.
import { expect } from 'vitest';
import type { UploadAnswer } from '#lib/shared/api.ts';
import { isTerminal, type StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { type Part, multipartBody, multipartType } from '../support/multipart.ts';
import { signIn } from '../support/server.ts';

export type Person = {
	cookie: string;
	ask(path: string, options?: RequestInit): Promise<Response>;
	/** Status and code of an answer that is expected to be a refusal. */
	refusal(path: string, options?: RequestInit): Promise<string>;
	upload(...parts: Part[]): Promise<{ status: number; body: UploadAnswer & { code?: string } }>;
	/** The only file of an upload that is expected to be taken. */
	add(filename: string, content: string | Buffer): Promise<StoredFile>;
	get(id: string): Promise<StoredFile>;
	/** All files, over as many pages as it takes. */
	list(): Promise<StoredFile[]>;
	/** The files as they are when all of them have ended. */
	ended(ids: readonly string[], timeoutMs?: number): Promise<StoredFile[]>;
};

export async function enter(server: { url: string }, email?: string): Promise<Person> {
	return withCookie(server, await signIn(server, email));
}

/** A person who has signed in. */
export function withCookie(server: { url: string }, cookie: string): Person {
	async function ask(path: string, options: RequestInit = {}): Promise<Response> {
		const headers = { cookie, origin: server.url, ...Object.fromEntries(new Headers(options.headers)) };
		return fetch(new URL(path, server.url), { redirect: 'manual', ...options, headers });
	}

	async function upload(...parts: Part[]) {
		const body = new Uint8Array(multipartBody(parts));
		const headers = { 'content-type': multipartType };
		const answer = await ask('/api/files/upload', { method: 'POST', headers, body });
		return { status: answer.status, body: await answer.json() };
	}

	async function list(): Promise<StoredFile[]> {
		const files: StoredFile[] = [];
		for (let next: string | null = ''; next !== null;) {
			const page = await (await ask(`/api/files?limit=500${next && `&after=${next}`}`)).json();
			files.push(...page.files);
			next = page.next;
		}
		return files;
	}

	return {
		cookie,
		ask,
		upload,
		list,
		async refusal(path, options) {
			const answer = await ask(path, options);
			return `${answer.status} ${(await answer.json()).code}`;
		},
		async add(filename, content) {
			const { body } = await upload({ filename, content });
			const file = body.files?.[0];
			if (!file) throw new Error(`${filename} was not taken: ${JSON.stringify(body)}`);
			return file;
		},
		get: async (id) => (await ask(`/api/files/${id}`)).json(),
		ended: (ids, timeoutMs = 30_000) =>
			eventually(
				async () => {
					const files = (await list()).filter(({ id }) => ids.includes(id));
					const open = files.filter(({ status }) => !isTerminal(status));
					expect(open.map(({ filename, status }) => `${filename} is ${status}`)).toEqual([]);
					expect(files).toHaveLength(ids.length);
					return ids.map((id) => files.find((file) => file.id === id)).filter((file) => file !== undefined);
				},
				{ timeoutMs, everyMs: 100 }
			)
	};
}
