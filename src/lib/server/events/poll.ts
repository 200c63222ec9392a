// The stream for clients that cannot stream: what changed since a cursor, as one answer. It waits for the first change
// or named event when there is none yet, and like a connection it listens before it looks. A named event that nobody
// keeps and that is sent between two requests is not heard.
import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '#lib/shared/errors.ts';
import type { ByeReason, ChangesAnswer, NamedEvent, StreamMessage } from '#lib/shared/events.ts';
import { problem } from '../errors.ts';
import type { FileChanges, Place } from '../files/changes.ts';
import type { Scope } from '../files/reach.ts';
import { stamp, toMessage } from './frames.ts';
import type { Hub, Listener } from './hub.ts';

export type Question = {
	session: { id: string; userId: string };
	scope: Scope;
	user?: string | undefined;
	cursor: string | undefined;
	waitSeconds: number;
	signal: AbortSignal;
};

type Deps = {
	hub: Hub;
	changes: FileChanges;
	keptFor(userId: string): Promise<NamedEvent[]>;
};
type Asker = Pick<Question, 'session' | 'scope'>;
type FileNews = Omit<ChangesAnswer, 'events'>;

/** Why nobody waits any more, where it is not the session. */
const refusals: Partial<Record<ByeReason, ErrorCode>> = { removed: 'project.not_found' };

export async function answerPoll(deps: Deps, question: Question): Promise<ChangesAnswer> {
	const told: NamedEvent[] = [];
	const news = await readNews(deps, question, told);
	// What is kept comes with each answer until it is confirmed, but is no reason to answer.
	const kept = await deps.keptFor(question.session.userId);
	const isKept = new Set(kept.map(({ id }) => id));
	return { ...news, events: [...kept, ...told.filter(({ id }) => !isKept.has(id))] };
}

async function readNews(deps: Deps, question: Question, told: NamedEvent[]): Promise<FileNews> {
	const { cursor, waitSeconds } = question;
	if (cursor === undefined) return readAll(deps.changes, question, []);
	const news = await readSince(deps.changes, question, cursor);
	if (news.changes.length > 0 || waitSeconds === 0) return news;
	return waitForNews(deps, question, news.cursor, told);
}

async function waitForNews(
	{ hub, changes }: Deps,
	question: Question,
	cursor: string,
	told: NamedEvent[]
): Promise<FileNews> {
	const { session, scope, waitSeconds, signal } = question;
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	// The session may end before anybody awaits it.
	promise.catch(() => undefined);
	const waiter: Listener = {
		kind: 'poll',
		id: randomUUID(),
		userId: session.userId,
		scope,
		sessionId: session.id,
		client: undefined,
		publish: () => resolve(),
		beat: () => undefined,
		tell: (event) => {
			told.push(event);
			resolve();
		},
		tend: () => undefined,
		bye: (reason) =>
			reason === 'shutdown' ? resolve() : reject(problem(refusals[reason] ?? 'auth.required'))
	};
	hub.admit(waiter);
	const timer = setTimeout(resolve, waitSeconds * 1000);
	signal.addEventListener('abort', () => resolve(), { once: true });
	try {
		await hub.add(waiter);
		const missed = await readSince(changes, question, cursor);
		if (missed.changes.length > 0 || signal.aborted) return missed;
		await promise;
	} finally {
		clearTimeout(timer);
		hub.remove(waiter);
	}
	return readSince(changes, question, cursor);
}

async function readSince(changes: FileChanges, asker: Asker, cursor: string): Promise<FileNews> {
	const past = await changes.since(asker.scope.id, cursor);
	if (past.kind === 'reset')
		return readAll(changes, asker, [stamp({ eventType: 'reset' as const, reason: past.reason })]);
	return { changes: past.changes.map((change) => stamp(toMessage(change))), cursor: past.cursor };
}

async function readAll(
	changes: FileChanges,
	{ scope, session }: Asker,
	before: StreamMessage[]
): Promise<FileNews> {
	const messages: StreamMessage[] = [...before];
	let cursor: string | undefined;
	let after: Place | undefined;
	do {
		const page = await changes.snapshot(scope.id, after, session.userId);
		cursor ??= page.cursor;
		after = page.next;
		messages.push(stamp({ eventType: 'snapshot' as const, files: page.files, last: after === undefined }));
	} while (after);
	return { changes: messages, cursor };
}
