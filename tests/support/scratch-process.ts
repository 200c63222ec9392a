// A process that is at work in a folder of `argv[2]` until somebody kills it.
import { setTimeout } from 'node:timers/promises';
import { createScratch } from '#lib/server/scratch.ts';

await createScratch(process.argv[2] ?? '').use(async (folder) => {
	process.send?.(folder);
	await setTimeout(60_000);
});
