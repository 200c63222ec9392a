// Signing in and staying signed in. Two ways, never both: on the machine itself while nothing else is configured and
// only this machine can reach us, or with the configured provider.
import type { ApiKey, KeyMade, KeyToMake, Scope, TicketAnswer } from '#lib/shared/keys.ts';
import type { Config } from '../config.ts';
import { messageOf, problem } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Db, Identity, Person, Tx } from '../platform/platform.ts';
import { createAttempts } from './attempts.ts';
import { createClientAddress } from './client-address.ts';
import { createCookies } from './cookies.ts';
import { createCors } from './cors.ts';
import { createGuard } from './guard.ts';
import { createIdentify, type Known } from './identify.ts';
import { createKeys } from './keys.ts';
import { admitPerson, removePerson } from './people.ts';
import { returnPath } from './return-path.ts';
import { checkScope } from './scopes.ts';
import { createSessions, type ListedSession } from './sessions.ts';
import { createTickets } from './tickets.ts';
import { readWayIn } from './way-in.ts';

export type Session = {
	/** The session's, or the key's that stands for one. */
	id: string;
	userId: string;
	email: string;
	name: string;
	/** Signed in on the machine itself. */
	isLocal: boolean;
	/** May use operator functions. */
	isAdmin: boolean;
	/** What a key may do; undefined: the person is signed in and may do all that is theirs. */
	scopes: readonly Scope[] | undefined;
	/** undefined: a key that lasts until it is revoked. */
	expiresAt: Date | undefined;
};
export type SignedIn = { token: string; session: Session };
export type EndReason = 'signed_out' | 'session_expired';
export type Auth = ReturnType<typeof createAuth>;

type Deps = { db: Db; config: Config; identity: Identity | undefined; log: Log; now?: () => Date };
/** The session that this browser had before; it ends when another begins. */
type Browser = { userAgent: string; previousToken?: string | undefined };

const sweepMs = 3000;

export function createAuth({ db, config, identity, log, now = () => new Date() }: Deps) {
	const { isLocalOpen, provider, providerName } = readWayIn(config);
	const sessions = createSessions({ db, provider, now });
	const keys = createKeys({ db, provider, now });
	const tickets = createTickets({ db, now });
	const clock = () => now().getTime();
	const attempts = createAttempts({ burst: 60, perSecond: 1, now: clock });
	const perMinute = config.requestsPerMinute;
	const requests = createAttempts({ burst: perMinute, perSecond: perMinute / 60, now: clock });
	const listeners = new Set<(sessionId: string, reason: EndReason) => void>();
	let sweeper: NodeJS.Timeout | undefined;

	function toSession({ id, userId, email, name, expiresMs }: Known, scopes?: readonly Scope[]): Session {
		const isOperator = isLocalOpen || config.adminEmails.includes(email);
		const isAdmin = isOperator && (!scopes || scopes.includes('admin'));
		const expiresAt = expiresMs === null ? undefined : new Date(expiresMs);
		return { id, userId, email, name, isLocal: isLocalOpen, isAdmin, scopes, expiresAt };
	}

	function requireSession(session: Session | undefined): Session {
		if (!session) throw problem('auth.required');
		return session;
	}

	/** A key must not make another that outlives it. */
	function requirePerson(session: Session | undefined): Session {
		const found = requireSession(session);
		if (found.scopes) throw problem('auth.session_only');
		return found;
	}

	async function signIn(person: Person, { userAgent, previousToken }: Browser): Promise<SignedIn> {
		const signedIn = await db.tx(async (tx) => {
			const isKept = identity?.keepsUsers ?? false;
			const userId = await admitPerson(tx, { provider, person, at: now(), isKept });
			const token = await sessions.add(tx, { userId, userAgent });
			const stored = await sessions.find(token, tx);
			if (!stored) throw new Error('the session just made cannot be found');
			return { token, session: toSession(stored) };
		});
		await signOut(previousToken);
		return signedIn;
	}

	/** An allow-list is about people who come from elsewhere; who is on it may have come before it was written. */
	function checkInvited(email: string): void {
		const { allowedEmails } = config;
		const domain = email.slice(email.lastIndexOf('@'));
		if (allowedEmails.length === 0 || allowedEmails.some((one) => one === email || one === domain)) return;
		throw problem('auth.not_invited');
	}

	async function signOut(token: string | undefined): Promise<void> {
		const id = token && (await sessions.end(token));
		if (id) tell(id, 'signed_out');
	}

	function tell(sessionId: string, reason: EndReason): void {
		for (const listener of listeners) listener(sessionId, reason);
	}

	async function sweep(): Promise<void> {
		for (const id of await sessions.endExpired()) tell(id, 'session_expired');
		for (const id of await keys.justExpired(4 * sweepMs)) tell(id, 'session_expired');
	}

	function redirectUri(origin: string): URL {
		return new URL('/auth/callback', config.origin ?? origin);
	}

	return {
		guard: createGuard(config),
		/** The peer, or whom trusted proxies speak for. */
		addressOf: createClientAddress(config.trustedProxies),
		cors: createCors(config.corsOrigins),
		cookies: createCookies(config.origin),
		returnPath,
		/** "Continue on this machine" is offered. */
		isLocalOpen,
		/** The provider's name for a person; undefined when none is configured. */
		providerName,

		async find(token: string | undefined): Promise<Session | undefined> {
			const stored = token ? await sessions.find(token) : undefined;
			return stored && toSession(stored);
		},

		/** Throws when this person, or this address of nobody known, asks for too much. */
		limitRate({ session, address }: { session: Session | undefined; address: string }): void {
			if (perMinute > 0) requests.take(session ? `user ${session.userId}` : address);
		},

		/** Whom a request speaks for, by whatever the guard found in it; a key's scope is checked. */
		identify: createIdentify({ sessions, keys, tickets, toSession, now }),

		require: requireSession,

		/** For what a program must not do with a key. */
		requirePerson,

		/** An operator; with a key, one that may do what operators may. */
		requireOperator(session: Session | undefined): Session {
			const found = requireSession(session);
			checkScope(found.scopes, 'admin');
			if (!found.isAdmin) throw problem('auth.not_allowed');
			return found;
		},

		listKeys: (session: Session | undefined): Promise<ApiKey[]> => keys.list(requirePerson(session).userId),

		async makeKey(session: Session | undefined, wanted: KeyToMake): Promise<KeyMade> {
			const { userId, isAdmin } = requirePerson(session);
			if (wanted.scopes.includes('admin') && !isAdmin) throw problem('auth.not_allowed');
			return keys.make(userId, wanted);
		},

		/** Its streams end with it. */
		async revokeKey(session: Session | undefined, id: string): Promise<void> {
			tell(await keys.revoke(requirePerson(session).userId, id), 'signed_out');
		},

		makeTicket: (session: Session | undefined): Promise<TicketAnswer> =>
			tickets.make(requireSession(session)),

		/** Those of the sessions and keys that go on: `onEnded` tells only of what ended in this process. */
		async isAlive(ids: readonly string[]): Promise<Set<string>> {
			const [alive, good] = await Promise.all([sessions.alive(ids), keys.alive(ids)]);
			return alive.union(good);
		},

		onEnded(listener: (sessionId: string, reason: EndReason) => void): () => void {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},

		async signInLocally(email: string, userAgent: string, previousToken?: string): Promise<SignedIn> {
			if (!isLocalOpen) throw problem('auth.not_configured');
			const address = email.trim().toLowerCase();
			const person = { email: address, name: address.split('@')[0] ?? address, subject: address };
			return signIn(person, { userAgent, previousToken });
		},

		/** Where to send the browser, and what it must keep in the `pending` cookie until it comes back. */
		async begin(input: { origin: string; returnTo: string | null; address: string }) {
			if (!identity) throw problem('auth.not_configured');
			attempts.take(input.address);
			return identity.begin({ redirectUri: redirectUri(input.origin), returnTo: returnPath(input.returnTo) });
		},

		async finish(input: Browser & { callback: URL; pending: string | undefined; address: string }) {
			if (!identity) throw problem('auth.not_configured');
			attempts.take(input.address);
			if (!input.pending) throw problem('auth.state_mismatch');
			const { callback, pending } = input;
			const { person, returnTo } = await identity.finish({
				callback,
				pending,
				redirectUri: redirectUri(callback.origin)
			});
			checkInvited(person.email);
			return { ...(await signIn(person, input)), returnTo: returnPath(returnTo) };
		},

		signOut,

		sessionsOf: (userId: string): Promise<ListedSession[]> => sessions.list(userId),

		/** Ends one of the person's sessions, or all; their streams close. */
		async endSessions(userId: string, id?: string): Promise<void> {
			for (const ended of await sessions.endOf(userId, id)) tell(ended, 'signed_out');
		},

		/** In the transaction that removes everything else of this person. */
		removePerson: (tx: Tx, userId: string): Promise<void> => removePerson(tx, userId),

		/** From now on sessions that expire are ended within seconds, and those who listen are told. */
		start(): void {
			const again = () => void (sweeper = setTimeout(run, sweepMs).unref());
			const run = () =>
				void sweep()
					.catch((error: unknown) =>
						log.warn({ err: error }, `expired sessions stay for now: ${messageOf(error)}`)
					)
					.then(() => sweeper && again());
			again();
		},

		stop(): void {
			clearTimeout(sweeper);
			sweeper = undefined;
		}
	};
}
