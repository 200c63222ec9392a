// What the harness page can ask the server to do (POST /api/harness).
import * as v from 'valibot';
import { stages } from './files.ts';

export const harnessLimits = { filesAtOnce: 5, maxTicks: 10_000, maxStageMs: 10_000 } as const;

export const HarnessAction = v.variant('do', [
	/** A file that goes through all stages, or fails at one. */
	v.strictObject({
		do: v.literal('file'),
		stageMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(harnessLimits.maxStageMs)),
		failAt: v.optional(v.nullable(v.picklist(stages.slice(1))), null)
	}),
	/** Ticks on one file, as fast as the database takes them. */
	v.strictObject({
		do: v.literal('burst'),
		ticks: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(harnessLimits.maxTicks))
	}),
	/** One isolated worker dies: at work on one of the person's files, or idle. */
	v.strictObject({ do: v.literal('crash') }),
	/** Everybody: operators only. */
	v.strictObject({
		do: v.literal('notify'),
		to: v.picklist(['user', 'session', 'everybody']),
		title: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200))
	})
]);
export const HarnessActionJson = v.pipe(v.string(), v.parseJson(), HarnessAction);
/** The answer to `crash`. */
export const Crashed = v.object({ worker: v.picklist(['busy', 'idle']) });
/** The file, the event, or what became of the worker. */
export const HarnessAnswer = v.union([v.object({ id: v.string() }), Crashed]);
export type HarnessAction = v.InferOutput<typeof HarnessAction>;
