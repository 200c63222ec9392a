// What a stage is: the contract between the pipeline (order, checkpoints, progress) and the stages (the work itself).
// Stages know no database and no blob store: they read a local path, write into a scratch folder and report ticks.
import type { Warning } from '#lib/shared/files.ts';

export type Tick = { done: number; total: number | null; unit: 'bytes' | 'pages' | 'chunks' };

export type StageInput = {
	/** The original on this machine; never written to. */
	path: string;
	sizeBytes: number;
	fileType: string;
	filename: string;
	/** An empty folder of this file's own, removed afterwards. */
	scratchDir: string;
	signal: AbortSignal;
	onTick(tick: Tick): void;
	password?: string | undefined;
	/** For `extract`: so many pages without text come with a picture. */
	maxPictures?: number | undefined;
	/** Whose file it is. */
	owner?: string | undefined;
};

/** A file written into the scratch folder; the pipeline puts it into the blob store. */
export type Derived = { path: string; type: string; bytes: number };

export type Compressed = {
	/** Absent when nothing smaller than the original was found. */
	compressed?: Derived | undefined;
	/** Small pictures of it: for lists, and to look at. */
	thumbnail?: Derived | undefined;
	preview?: Derived | undefined;
	width?: number | undefined;
	height?: number | undefined;
};

export type Page = {
	/** null: the format has no pages. */
	number: number | null;
	section: string | null;
	text: string;
	/** A page that failed has no text and says so here (`pages` names it); warnings with one code are merged. */
	warning?: Warning | undefined;
	/** A JPEG for a model to read, where it is wanted; not kept. */
	picture?: Uint8Array | undefined;
};

export type Chunk = {
	ordinal: number;
	page: number | null;
	section: string | null;
	text: string;
	hash: string;
};

export type ChunkPages = (pages: AsyncIterable<Page>) => AsyncIterable<Chunk>;

/** Failures are AppErrors with their own code (`file.damaged`, `pdf.encrypted`, `stage.timed_out` …). */
export type Stages = {
	compress(input: StageInput): Promise<Compressed>;
	/** Pages arrive while later ones are still being read; ending the iteration early stops the work. */
	extract(input: StageInput): AsyncIterable<Page>;
	close(): Promise<void>;
};
