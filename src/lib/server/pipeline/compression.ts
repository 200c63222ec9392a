// Stage one: a smaller copy and a picture of the file, put beside the original.
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import { keepVariant } from './variants.ts';
import type { Work } from './work.ts';
import { beginStage } from './stage-time.ts';

const Done = v.object({});

export async function compress(work: Work): Promise<void> {
	const { checkpoints, progress } = work;
	if (!(await checkpoints.find('compression', Done))) await make(work);
	progress.finish('compression');
}

async function make(work: Work): Promise<void> {
	const { stages, input, metrics, checkpoints, claim, progress } = work;
	const stop = beginStage(metrics, 'compression');
	try {
		const onTick = (tick: Parameters<typeof progress.tell>[1]) => progress.tell('compression', tick);
		const { compressed, thumbnail, preview } = await stages.compress({ ...input, onTick });
		const variants = {
			...(await keepVariant(work, 'compressed', compressed)),
			...(await keepVariant(work, 'thumbnail', thumbnail)),
			...(await keepVariant(work, 'preview', preview))
		};
		await claim.keepVariants(variants, checkpoints.finish('compression', {}));
	} catch (error) {
		if (!isDispensable(work, error)) throw error;
		work.log.warn({ err: error, fileId: claim.file.id }, 'a file stays uncompressed');
		work.warn({ code: error.code, message: `The file was not compressed: ${error.message}` });
	}
	stop();
}

/** A document can be read and found without its smaller copy; of a picture there is nothing else. */
function isDispensable({ input }: Work, error: unknown): error is AppError {
	if (!(error instanceof AppError) || input.fileType.startsWith('image/')) return false;
	return ['stage.timed_out', 'stage.out_of_memory', 'stage.crashed'].includes(error.code);
}
