// A program with a key, and nothing else.
import type { KeyMade, Scope } from '#lib/shared/keys.ts';

type Asker = { ask(path: string, options?: RequestInit): Promise<Response> };

export async function makeKey(
	person: Asker,
	scopes: readonly Scope[] = ['read', 'write'],
	expires_at: string | null = null
): Promise<KeyMade> {
	const body = JSON.stringify({ name: `for ${scopes.join()}`, scopes, expires_at });
	const answer = await person.ask('/api/keys', { method: 'POST', body });
	if (answer.status !== 201) throw new Error(`no key: ${answer.status} ${await answer.text()}`);
	return answer.json();
}

/** Neither cookie nor Origin. */
export function withKey(server: { url: string }, token: string) {
	const ask = (path: string, options: RequestInit = {}) =>
		fetch(new URL(path, server.url), {
			redirect: 'manual',
			...options,
			headers: { authorization: `Bearer ${token}`, ...Object.fromEntries(new Headers(options.headers)) }
		});
	return {
		ask,
		/** Status and code of a refusal, or only the status. */
		async told(path: string, options?: RequestInit): Promise<string> {
			const answer = await ask(path, options);
			const text = await answer.text();
			return answer.ok ? String(answer.status) : `${answer.status} ${JSON.parse(text).code}`;
		}
	};
}
