// What a stage is given, for tests: real bytes in a temp folder of their own.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { silentLog } from '#lib/server/log.ts';
import type { Page, StageInput, Tick } from '#lib/server/pipeline/stage.ts';
import { createStages } from '#lib/server/pipeline/stages/stages.ts';

export type TestInput = StageInput & { ticks: Tick[] };

export async function makeStageInput(
	bytes: Buffer,
	fileType: string,
	extra: Partial<StageInput> = {}
): Promise<TestInput> {
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-stage-'));
	const file = path.join(folder, 'original');
	const scratchDir = path.join(folder, 'scratch');
	await mkdir(scratchDir);
	await writeFile(file, bytes);
	const ticks: Tick[] = [];
	return {
		path: file,
		sizeBytes: bytes.length,
		fileType,
		filename: 'a file',
		scratchDir,
		signal: new AbortController().signal,
		onTick: (tick) => void ticks.push(tick),
		ticks,
		...extra
	};
}

export async function removeStageInput(input: StageInput): Promise<void> {
	await rm(path.dirname(input.path), { recursive: true });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
	const all: T[] = [];
	for await (const item of items) all.push(item);
	return all;
}

export function textOf(pages: readonly Page[]): string {
	return pages.map((page) => page.text).join('\n');
}

/** Real stages for the tests of one file; what they were given is removed with them. */
export function useStages(workerConcurrency: number) {
	const stages = createStages({ config: { workerConcurrency }, log: silentLog });
	const inputs: TestInput[] = [];
	afterAll(async () => {
		await stages.close();
		await Promise.all(inputs.map(removeStageInput));
	});

	async function prepare(bytes: Buffer, type: string, extra: Partial<StageInput> = {}): Promise<TestInput> {
		const input = await makeStageInput(bytes, type, extra);
		inputs.push(input);
		return input;
	}

	return {
		stages,
		prepare,
		async read(bytes: Buffer, type: string, extra: Partial<StageInput> = {}): Promise<Page[]> {
			return collect(stages.extract(await prepare(bytes, type, extra)));
		}
	};
}
