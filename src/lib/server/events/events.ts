// The live stream as one part of the app: who may open one, and everything that keeps it going.
import type { ChangesAnswer } from '#lib/shared/events.ts';
import type { Auth } from '../auth/auth.ts';
import type { Config } from '../config.ts';
import { messageOf, problem } from '../errors.ts';
import type { FileChanges } from '../files/changes.ts';
import { findStrangers, type Guest, ownScope, reachFile, type Scope } from '../files/reach.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ChangeFeed, Db, Stop } from '../platform/platform.ts';
import { Connection, type Visitor } from './connection.ts';
import { Feed } from './feed.ts';
import { Follower } from './follow.ts';
import { createFrameCounts } from './frame-counts.ts';
import { Hub } from './hub.ts';
import { createNamed } from './named.ts';
import { answerPoll, type Question } from './poll.ts';
import { Pulse } from './pulse.ts';
import { createRawRoute } from './raw-route.ts';
import { RawSink } from './raw-sink.ts';
import { type Sink, streamHeaders } from './sink.ts';
import { checkPerson, readVisit } from './visit.ts';
import { createStatusVoice } from './status-voice.ts';
import { filesVoice } from './voice.ts';
import { createWebSink } from './web-sink.ts';

export type EventsDeps = {
	db: Db;
	changes: FileChanges;
	changeFeed: ChangeFeed;
	auth: Pick<
		Auth,
		'guard' | 'cors' | 'identify' | 'require' | 'addressOf' | 'limitRate' | 'isAlive' | 'onEnded'
	>;
	config: Pick<Config, 'heartbeatSeconds'>;
	metrics: Metrics;
	log: Log;
};

/** `isStatus`: in the words of GET /api/projects/:id/status. */
type Door = {
	session: Visitor['session'];
	url: URL;
	lastEventId: string | null;
	scope?: Scope;
	isStatus?: boolean;
};

export type Events = ReturnType<typeof createEvents>;

export function createEvents({ db, changes, changeFeed, auth, config, metrics, log }: EventsDeps) {
	const { heartbeatSeconds } = config;
	const hub: Hub = new Hub({
		metrics,
		onFirst: (scope) => {
			pulse.add(scope.id);
			return feed.follow(scope);
		},
		onLast: (scopeId) => {
			pulse.remove(scopeId);
			feed.unfollow(scopeId);
		}
	});
	const feed = new Feed({
		changes,
		log,
		onChanges: (scopeId, changed, cursor) => hub.publish(scopeId, changed, cursor),
		onDigest: (scopeId, digest, cursor) => hub.beat(scopeId, digest, cursor)
	});
	const pulse = new Pulse({
		hub,
		heartbeatSeconds,
		log,
		askDigest: (scopeId) => feed.askDigest(scopeId),
		isAlive: (sessionIds) => auth.isAlive(sessionIds),
		strangers: (guests) => findStrangers(db, guests)
	});
	const named = createNamed({ db, hub, log });
	const deps = { db, hub, counts: createFrameCounts(metrics), changes, metrics, heartbeatSeconds };
	let stops: Stop[] = [];
	let isStopping = false;

	/** Before a byte is sent, so that a refusal still has a status. */
	function admit({ session, client, user }: Omit<Visitor, 'cursor' | 'events' | 'scope'>): void {
		if (isStopping) throw problem('server.stopping');
		checkPerson(session, user);
		hub.admit({ userId: session.userId, kind: 'stream', client });
	}

	function run(stream: Connection | Follower, start: () => Promise<void>): void {
		const { id: connection, userId } = stream;
		log.debug({ connection, user: userId }, 'a stream begins');
		start().catch((error: unknown) => {
			if (stream.isClosed) return;
			log.warn({ err: error, connection }, `a stream could not begin: ${messageOf(error)}`);
			stream.cut();
		});
	}

	function connect(visitor: Visitor, sink: Sink): void {
		const connection = new Connection(deps, visitor, sink);
		run(connection, async () => {
			await connection.start(visitor.cursor);
			if (!connection.isClosed) await named.tellKept(connection);
		});
	}

	return {
		streamHeaders,
		/** A named event to one connection, session or user, or to everybody (named.ts). */
		send: named.send,
		/** A browser of this person has shown these. */
		seen: named.seen,

		/** Everything of one person, or of a project that was reached, over Kit. `destroySocket` cuts a reader who never reads. */
		openWeb(
			{ session, url, lastEventId, scope = ownScope(session.userId), isStatus = false }: Door,
			destroySocket: () => void
		): ReadableStream<Uint8Array> {
			const voice = isStatus ? createStatusVoice() : filesVoice;
			const visitor = { session, scope, voice, ...readVisit(url, lastEventId) };
			admit(visitor);
			const sink = createWebSink(destroySocket);
			connect(visitor, sink);
			return sink.stream;
		},

		/** One file, until it ends. */
		async openFollow(
			target: { session: Visitor['session']; fileId: string },
			destroySocket: () => void
		): Promise<ReadableStream<Uint8Array>> {
			const scope = await reachFile(db, target.session.userId, target.fileId);
			admit({ session: target.session, client: undefined, user: undefined });
			const sink = createWebSink(destroySocket);
			const follower = new Follower(deps, { ...target, scope }, sink);
			run(follower, () => follower.start());
			return sink.stream;
		},

		/** The custom server asks first: true when it was a stream's request, which is then answered on the raw response. */
		handleRaw: createRawRoute({
			auth,
			log,
			open(visitor, response, headers) {
				admit(visitor);
				connect(visitor, new RawSink(response, headers));
			}
		}),

		async poll({ scope, ...question }: Omit<Question, 'scope'> & { scope?: Scope }): Promise<ChangesAnswer> {
			if (isStopping) throw problem('server.stopping');
			checkPerson(question.session, question.user);
			const asked = { ...question, scope: scope ?? ownScope(question.session.userId) };
			return answerPoll({ hub, changes, keptFor: named.keptFor }, asked);
		},

		/** What is looked at here: people's own files and projects, by id. */
		followed: (): string[] => [...hub.scopeIds],

		/** Everybody in this process who follows this project, or one of them; other processes find out by themselves. */
		leave(projectId: string, userId?: string): void {
			const isMeant = (guest: Guest) =>
				guest.scope.id === projectId && (userId ?? guest.userId) === guest.userId;
			hub.end('removed', isMeant);
		},

		/** What is too old to be continued from, or to be told. */
		prune: () => Promise.all([changes.prune(), named.prune()]),

		async start(): Promise<void> {
			const restamped = await changes.restamp();
			if (restamped > 0) log.info({ rows: restamped }, 'rows of a restored database were stamped anew');
			const unlisten = auth.onEnded((ended, reason) =>
				hub.end(reason, ({ sessionId }) => sessionId === ended)
			);
			stops = [
				await changeFeed.subscribe((userId) => feed.ring(userId)),
				await named.start(),
				async () => unlisten()
			];
		},

		async stop(reason: 'shutdown'): Promise<void> {
			isStopping = true;
			hub.end(reason);
			await Promise.all(stops.splice(0).map((stop) => stop()));
		}
	};
}
