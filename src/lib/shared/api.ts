// Request and response of every JSON endpoint.
import * as v from 'valibot';
import { isDay } from './day.ts';
import { Status, StoredFile } from './files.ts';
import { KeptText } from './kept-text.ts';
import { TypeFilter } from './kinds.ts';
import { limits } from './limits.ts';
import { Tag } from './projects.ts';

export const UploadFailure = v.object({ filename: v.string(), code: v.string(), message: v.string() });
export const UploadQuery = v.object({
	/** A project that the files go to. */
	project: v.optional(v.string())
});
export const UploadAnswer = v.object({
	files: v.array(StoredFile),
	errors: v.array(UploadFailure),
	cursor: v.string()
});

export const ListQuery = v.object({
	after: v.optional(v.string()),
	limit: v.optional(
		v.pipe(
			v.string(),
			v.regex(/^\d{1,4}$/),
			v.transform(Number),
			v.minValue(1),
			v.maxValue(limits.listPageMax)
		)
	),
	status: v.optional(Status),
	/** Only files with this tag: the name of a topic that a project has accepted. */
	tag: v.optional(Tag)
});
export const ListAnswer = v.object({
	files: v.array(StoredFile),
	next: v.nullable(v.string()),
	cursor: v.string()
});

/** A day (its beginning, in UTC) or a moment. */
const Moment = v.pipe(
	v.union([v.pipe(v.string(), v.isoDate()), v.pipe(v.string(), v.isoTimestamp())]),
	v.check(isDay, 'There is no such day.'),
	v.transform((text) => new Date(text).toISOString())
);

export const SearchQuery = v.object({
	q: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(limits.maxQueryLength)), ''),
	limit: v.optional(
		v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100))
	),
	file: v.optional(v.pipe(v.string(), v.uuid())),
	type: v.optional(TypeFilter),
	/** Of files that were added at that moment or later, and before that moment. */
	after: v.optional(Moment),
	before: v.optional(Moment),
	/** Only in this project; without it, in everything that the person may read. */
	project: v.optional(v.pipe(v.string(), v.uuid())),
	tag: v.optional(Tag)
});
export const SearchResult = v.object({
	file: v.object({ id: v.string(), filename: v.string(), file_type: v.string() }),
	page: v.nullable(v.number()),
	passage: v.string(),
	/** Start and end of each matching word inside `passage`, in UTF-16 units. */
	highlights: v.array(v.tuple([v.number(), v.number()])),
	score: v.number()
});
export const SearchAnswer = v.object({
	results: v.array(SearchResult),
	mode: v.picklist(['hybrid', 'keyword']),
	embedder: v.string()
});

export const FileDetails = v.object({
	/** The embedding model under which the file is complete. */
	model: v.nullable(v.string()),
	/** What the model's provider counted for this file, over all attempts; passages it was paid for before cost none. */
	tokens: v.number(),
	/** null: the price is not known. */
	estimated_usd: v.nullable(v.number()),
	/** From its beginning until each stage had ended; they overlap. null: it was not processed in one go. */
	seconds: v.nullable(v.object({ compression: v.number(), extraction: v.number(), embedding: v.number() }))
});
export type FileDetails = v.InferOutput<typeof FileDetails>;

export const LocalSignIn = v.object({
	email: v.pipe(KeptText, v.trim(), v.toLowerCase(), v.maxLength(254), v.regex(/^[^\s@]+@[^\s@]+$/))
});
export const RetryOptions = v.object({
	password: v.optional(v.pipe(v.string(), v.maxLength(1024))),
	/** Also a completed file, and from the beginning. */
	again: v.optional(v.boolean())
});
/** The body's text; nothing at all is a retry without a password. */
export const RetryBody = v.union([
	v.pipe(
		v.literal(''),
		v.transform(() => ({}))
	),
	v.pipe(v.string(), v.parseJson(), RetryOptions)
]);
export const RetryAllOptions = v.object({ status: v.literal('failed') });
const Ids = v.pipe(
	v.array(v.pipe(v.string(), v.uuid())),
	v.minLength(1),
	v.maxLength(limits.maxIdsPerRequest),
	v.transform((ids) => [...new Set(ids)])
);
/** Each of several files stands alone: one that refuses never keeps the others back. */
export const Many = v.object({ ids: Ids });
export const ManyBody = v.pipe(v.string(), v.parseJson(), Many);
/** Of a form: its ids as one field, with commas between them. */
export const ManyForm = v.object({
	ids: v.pipe(
		v.string(),
		v.transform((text) => text.split(',')),
		Ids
	)
});
export const ManyAnswer = v.object({
	/** As they are now; a deleted file is told by its id alone. */
	files: v.array(StoredFile),
	deleted: v.array(v.string()),
	errors: v.array(v.object({ id: v.string(), code: v.string(), message: v.string() }))
});
export const RetryAllAnswer = v.object({ files: v.array(StoredFile) });
export const RetryMany = v.union([RetryAllOptions, Many]);
export const RetryManyBody = v.pipe(v.string(), v.parseJson(), RetryMany);
/** Of chosen files with what refused; of all that had failed, the files alone. */
export const RetryManyAnswer = v.union([ManyAnswer, RetryAllAnswer]);

export const PassagesQuery = v.object({
	after: v.optional(v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number)), '0')
});
/** The passages into which a file was cut: what the search finds. */
export const PassagesAnswer = v.object({
	passages: v.array(
		v.object({
			ordinal: v.number(),
			page: v.nullable(v.number()),
			section: v.nullable(v.string()),
			text: v.string()
		})
	),
	/** For `after`; null at the end. */
	next: v.nullable(v.number())
});

/** POST /api/files/known: which of these bytes are there already. */
export const Known = v.object({
	/** In this project; without it, among the person's own files. */
	project: v.optional(v.string()),
	sha256: v.pipe(
		v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
		v.minLength(1),
		v.maxLength(limits.maxHashesAtOnce)
	)
});
export const KnownBody = v.pipe(v.string(), v.parseJson(), Known);
export const KnownAnswer = v.object({ files: v.array(StoredFile) });

export const Variant = v.picklist(['original', 'compressed', 'thumbnail', 'preview', 'text']);
export const ContentQuery = v.object({
	variant: v.optional(Variant, 'original'),
	/** Shown instead of downloaded, where the type is harmless. */
	inline: v.optional(
		v.pipe(
			v.picklist(['0', '1']),
			v.transform((value) => value === '1')
		),
		'0'
	)
});

export type UploadFailure = v.InferOutput<typeof UploadFailure>;
export type UploadAnswer = v.InferOutput<typeof UploadAnswer>;
export type ListQuery = v.InferOutput<typeof ListQuery>;
export type ListAnswer = v.InferOutput<typeof ListAnswer>;
export type SearchQuery = v.InferOutput<typeof SearchQuery>;
export type SearchResult = v.InferOutput<typeof SearchResult>;
export type SearchAnswer = v.InferOutput<typeof SearchAnswer>;
export type ManyAnswer = v.InferOutput<typeof ManyAnswer>;
export type PassagesAnswer = v.InferOutput<typeof PassagesAnswer>;
export type Variant = v.InferOutput<typeof Variant>;
