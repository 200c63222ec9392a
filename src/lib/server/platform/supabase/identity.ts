// Identity by Supabase Auth: Google's sign-in goes through the project, and auth.users is written there. What comes
// back is a code that only the verifier of this browser's sealed cookie can redeem (PKCE); no process remembers
// anything. Our sessions are our own, so the project's session ends as soon as it has said who the person is.
import { createClient } from '@supabase/supabase-js';
import * as v from 'valibot';
import { type AppError, problem } from '../../errors.ts';
import { createPending } from '../pending.ts';
import type { Identity, Person } from '../platform.ts';
import type { Project } from './project-http.ts';

const provider = 'google';
const answerMs = 10_000;

const Pending = v.object({
	/** What supabase-js keeps until the callback: the code verifier. */
	kept: v.array(v.tuple([v.string(), v.string()])),
	returnTo: v.string()
});

const Settings = v.object({
	external: v.object({ [provider]: v.boolean() }),
	mailer_autoconfirm: v.boolean()
});
const Claims = v.object({ sub: v.pipe(v.string(), v.uuid()), role: v.literal('authenticated') });
const User = v.object({
	id: v.string(),
	email: v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(254), v.includes('@')),
	email_confirmed_at: v.optional(v.nullable(v.string())),
	identities: v.array(
		v.object({
			provider: v.string(),
			identity_data: v.object({
				email_verified: v.optional(v.unknown()),
				full_name: v.optional(v.nullable(v.string())),
				name: v.optional(v.nullable(v.string()))
			})
		})
	)
});

export function createSupabaseIdentity(
	project: Project,
	{ now = Date.now }: { now?: () => number } = {}
): Identity {
	const pendings = createPending(project.secretKey, Pending, now);

	return {
		keepsUsers: true,

		async begin({ redirectUri, returnTo }) {
			await requireProvider(project);
			const kept = new Map<string, string>();
			const { data, error } = await connect(project, kept).signInWithOAuth({
				provider,
				options: { redirectTo: redirectUri.href, skipBrowserRedirect: true }
			});
			if (error) throw failure(error);
			const pending = pendings.close({ kept: [...kept], returnTo });
			return { url: new URL(data.url), pending };
		},

		async finish({ callback, pending: sealed }) {
			const { kept, returnTo } = pendings.open(sealed);
			const code = readCode(callback.searchParams);
			const auth = connect(project, new Map(kept));
			const { data, error } = await auth.exchangeCodeForSession(code);
			if (error) throw failure(error);
			const { data: verified, error: unverified } = await auth.getClaims(data.session.access_token);
			if (unverified) throw failure(unverified);
			const person = readPerson(verified?.claims, data.session.user);
			// It would expire by itself as well, so a failure changes nothing.
			await auth.signOut({ scope: 'local' });
			return { person, returnTo };
		}
	};
}

/** A client for one step of one sign-in: what it knows stands in `kept`. */
function connect({ url, publishableKey }: Project, kept: Map<string, string>) {
	const client = createClient(url, publishableKey, {
		auth: {
			flowType: 'pkce',
			autoRefreshToken: false,
			detectSessionInUrl: false,
			storage: {
				getItem: (name) => kept.get(name) ?? null,
				setItem: (name, value) => void kept.set(name, value),
				removeItem: (name) => void kept.delete(name)
			}
		},
		global: { fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(answerMs) }) }
	});
	return client.auth;
}

/** The project would show its own page of JSON to whoever is sent there while Google is off. */
async function requireProvider({ url, publishableKey }: Project): Promise<void> {
	const address = `${url.replace(/\/+$/, '')}/auth/v1/settings`;
	const settings = await fetch(address, {
		headers: { apikey: publishableKey },
		signal: AbortSignal.timeout(answerMs)
	})
		.then(async (response) => v.parse(Settings, await response.json()))
		.catch((cause: unknown) => {
			throw unreachable(cause);
		});
	if (!settings.external[provider]) throw problem('auth.not_configured');
	// Everybody could give themselves any address then, an operator's for one.
	if (settings.mailer_autoconfirm)
		throw problem('auth.not_configured', {
			cause: new Error('the project does not confirm e-mail addresses')
		});
}

function readCode(answer: URLSearchParams): string {
	if (answer.get('error_code') === 'provider_email_needs_verification')
		throw problem('auth.email_unverified');
	const code = answer.get('code');
	if (code) return code;
	const cause = new Error(answer.get('error_description') ?? 'no code came back');
	throw problem('auth.refused', { cause });
}

/** The words are the provider's own: what people may write about themselves (user_metadata) proves nothing. */
function readPerson(claims: unknown, user: unknown): Person {
	const read = v.safeParse(v.object({ claims: Claims, user: User }), { claims, user });
	if (!read.success) throw problem('auth.refused', { cause: new v.ValiError(read.issues) });
	const { sub } = read.output.claims;
	const { id, email, email_confirmed_at, identities } = read.output.user;
	if (id !== sub) throw problem('auth.refused', { cause: new Error('the token is of another user') });
	const data = identities.find((one) => one.provider === provider)?.identity_data;
	if (!email_confirmed_at || data?.email_verified !== true) throw problem('auth.email_unverified');
	return { subject: sub, email, name: data.full_name?.trim() || data.name?.trim() || email };
}

const Failure = v.object({ name: v.string(), code: v.optional(v.string()), status: v.optional(v.number()) });

function failure(cause: unknown): AppError {
	const { name, code, status = 500 } = v.parse(Failure, cause);
	if (code === 'bad_code_verifier') return problem('auth.state_mismatch', { cause });
	if (name === 'AuthRetryableFetchError' || status >= 500) return unreachable(cause);
	return problem('auth.refused', { cause });
}

function unreachable(cause: unknown): AppError {
	return problem('auth.provider_unreachable', { cause });
}
