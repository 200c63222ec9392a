// The seam between Asura and where it runs. No feature asks which side it is on: differences are values in
// `Capabilities`. Two sides: embedded/ (one machine, nothing installed) and supabase/.
import type { Readable, Writable } from 'node:stream';

export type Row = Record<string, unknown>;
export type Result<R> = { rows: R[]; rowCount: number };
export type Stop = () => Promise<void>;

export interface Queryable {
	/**
	 * `$1`-style parameters. Arrays go as arrays of text and are cast in SQL, JSON goes as text. bigint and xid8 come back
	 * as strings unless cast. Without parameters it may be a script. A refusal is a DbError (db-error.ts).
	 */
	query<R = Row>(sql: string, params?: readonly unknown[]): Promise<Result<R>>;
}

export type Tx = Queryable;

export interface Db extends Queryable {
	/**
	 * Committed when `fn` resolves, rolled back when it throws, or when nothing is heard of it for 10 s. Inside, only `tx`
	 * may be used: the database itself refuses. `as` runs it under row-level security of that user.
	 */
	tx<T>(fn: (tx: Tx) => Promise<T>, options?: { as?: { userId: string } }): Promise<T>;
	/** Notifications on `channel`; survives reconnects (a reconnect calls `onNotify('')`, since some may be missed). */
	listen(channel: string, onNotify: (payload: string) => void): Promise<Stop>;
	/** In its own transaction: a NOTIFY inside a writing one would serialise all writers. */
	notify(channel: string, payload: string): Promise<void>;
	close(): Promise<void>;
}

export type ByteRange = { start: number; end: number };
export type BlobInfo = { key: string; bytes: number; modifiedAt: Date };

export interface BlobStore {
	/** Whole or not at all: a stream that fails leaves nothing under `key`. Resolves when the bytes are durable. */
	put(key: string, content: Readable): Promise<{ bytes: number }>;
	/** `range.end` is inclusive, as in HTTP. Throws `file.variant_missing` when there is no such blob. */
	get(key: string, range?: ByteRange): Promise<Readable>;
	stat(key: string): Promise<BlobInfo | undefined>;
	/** Missing keys are no error. */
	remove(keys: readonly string[]): Promise<void>;
	list(prefix: string): AsyncIterable<BlobInfo>;
	/** A path on this machine for libraries that need one, for the time of `fn`; the file must not be written to. */
	withLocalFile<T>(key: string, fn: (path: string) => Promise<T>): Promise<T>;
}

export type Person = { email: string; name: string; subject: string };

/** The browser's part of signing in with a provider; sessions are ours (auth/sessions.ts). */
export interface Identity {
	/** The provider writes auth.users itself, and a person's subject is the id of that row. */
	readonly keepsUsers?: true;
	/** `pending` is opaque and secret; it comes back to `finish` in an HttpOnly cookie of this browser. */
	begin(input: { redirectUri: URL; returnTo: string }): Promise<{ url: URL; pending: string }>;
	/** Throws `auth.state_mismatch`, `auth.refused` or `auth.provider_unreachable`. */
	finish(input: {
		callback: URL;
		redirectUri: URL;
		pending: string;
	}): Promise<{ person: Person; returnTo: string }>;
}

/** A doorbell only: "something changed, for this user". The truth is always read from the database. */
export interface ChangeFeed {
	subscribe(onWake: (userId: string | undefined) => void): Promise<Stop>;
}

export type Capabilities = Readonly<{
	name: 'embedded' | 'supabase';
	/** One process owns the database: what a predecessor left active is dead for sure. */
	isExclusive: boolean;
	/** pg-boss's name for the database behind Db. */
	queueBackend: 'pglite' | 'postgres';
	hasVectors: boolean;
}>;

/** Of a command like `npm run backup`, which another process asks for. */
export type AnswerCommand = (to: Writable, options: URLSearchParams) => Promise<void>;

export type Platform = {
	capabilities: Capabilities;
	db: Db;
	blobs: BlobStore;
	/** undefined: only local sign-in. */
	identity: Identity | undefined;
	changes: ChangeFeed;
	/**
	 * Where several processes share everything: `begin` is called in one of them at a time, and what it returns when that
	 * one stops or has lost its connection; another takes over. undefined: there is one process.
	 */
	lead?(begin: () => Promise<Stop>): Stop;
	/** The same database for statements that may take hours; undefined: there are none such. */
	slowDb?: Db;
	/** Of a pool of connections, for the metrics. */
	poolState?(): { open: number; idle: number; waiting: number };
	/** Where one process has everything to itself, others ask it. */
	onCommand?(name: string, answer: AnswerCommand): void;
	close(): Promise<void>;
};
