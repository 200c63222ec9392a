// Files with the pipeline on them, and words for what a test wants to know of one person's files.
import { expect } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import { createPipeline, type Deps } from '#lib/server/pipeline/pipeline.ts';
import { createRates } from '#lib/server/pipeline/rates.ts';
import { eventually } from './eventually.ts';
import type { TestFiles } from './files.ts';
import { cutParagraphs } from './stages.ts';

export function makePipeline(
	test: TestFiles,
	parts: Pick<Deps, 'stages' | 'embedder' | 'vision' | 'processor'>
) {
	return createPipeline({
		...test.platform,
		...parts,
		files: test.files,
		cut: cutParagraphs,
		rates: createRates(test.platform.db),
		scratch: test.scratch,
		metrics: createMetrics(),
		log: silentLog
	});
}

export type Look = ReturnType<typeof lookAt>;

export function lookAt(test: TestFiles, userId: string) {
	const get = (id: string) => test.files.get(userId, id);
	return {
		get,
		untilItIs: (id: string, expected: Partial<Record<keyof StoredFile, unknown>>) =>
			eventually(async () => expect(await get(id)).toMatchObject(expected), { timeoutMs: 10_000 }),
		async chunks(id: string) {
			const { rows } = await test.platform.db.query<{ ordinal: number; page: number; text: string }>(
				'select ordinal, page, text from public.chunks where file_id = $1 order by ordinal',
				[id]
			);
			return rows;
		},
		async countVectors(): Promise<number> {
			const { rowCount } = await test.platform.db.query('select from public.embeddings where user_id = $1', [
				userId
			]);
			return rowCount;
		}
	};
}

/** Different words on every page: `passage 3 of page 7`. */
export function pagesOf(count: number, perPage = 10): string {
	const page = (number: number) =>
		Array.from({ length: perPage }, (_, i) => `passage ${i} of page ${number}`).join('\n');
	return Array.from({ length: count }, (_, i) => page(i + 1)).join('\f');
}
