// A process that is at work in a scratch folder until somebody kills it.
import { setTimeout } from 'node:timers/promises';
import { withScratch } from '#lib/server/pipeline/scratch.ts';

await withScratch(async (folder) => {
	process.send?.(folder);
	await setTimeout(60_000);
});
