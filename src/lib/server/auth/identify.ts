// From what a request brings to the person it speaks for, and what it may do: a session's cookie, a key, or a ticket.
import type { Scope } from '#lib/shared/keys.ts';
import { problem } from '../errors.ts';
import { createAttempts } from './attempts.ts';
import type { Session } from './auth.ts';
import type { Arrival, Credential } from './guard.ts';
import type { Keys } from './keys.ts';
import { checkScope, scopeOf } from './scopes.ts';
import type { Sessions, StoredSession } from './sessions.ts';
import type { Tickets } from './tickets.ts';

/** Who knocks, and where: `address` is asked only of those who bring a wrong key. */
export type Knock = Pick<Arrival, 'method' | 'path'> & { address: () => string };
/** A person as a session or a key leads to them. */
export type Known = Pick<StoredSession, 'id' | 'userId' | 'email' | 'name'> & { expiresMs: number | null };

type Deps = {
	sessions: Sessions;
	keys: Keys;
	tickets: Tickets;
	toSession(known: Known, scopes?: readonly Scope[]): Session;
	now: () => Date;
};

export function createIdentify({ sessions, keys, tickets, toSession, now }: Deps) {
	const wrongKeys = createAttempts({ burst: 30, perSecond: 0.5, now: () => now().getTime() });

	async function byKey(token: string, address: () => string): Promise<Session> {
		const key = await keys.find(token);
		if (key) return toSession(key, key.scopes);
		// Only wrong ones count: a program that has lost its key must not lock out its neighbours.
		wrongKeys.take(address());
		throw problem('auth.key_invalid', { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } });
	}

	async function byTicket(token: string, address: () => string): Promise<Session> {
		const id = await tickets.redeem(token);
		const session = id && (await sessions.findById(id));
		if (session) return toSession(session, ['read']);
		const key = id && (await keys.findById(id));
		if (key) return toSession(key, key.scopes);
		wrongKeys.take(address());
		throw problem('auth.ticket_invalid');
	}

	return async (credential: Credential | undefined, knock: Knock): Promise<Session | undefined> => {
		if (!credential) return undefined;
		const { kind, token } = credential;
		if (kind === 'session') {
			const stored = await sessions.find(token);
			return stored && toSession(stored);
		}
		const session = await (kind === 'key' ? byKey : byTicket)(token, knock.address);
		checkScope(session.scopes, scopeOf(knock.method, knock.path));
		return session;
	};
}
