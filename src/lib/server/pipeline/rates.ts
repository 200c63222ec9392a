// What files of each type and size took, stage by stage, learned from every file that was processed undisturbed.
import * as v from 'valibot';
import type { Db } from '../platform/platform.ts';
import type { Weights } from './progress.ts';
import { usualWeights } from './weights.ts';

export const learnedStages = ['compression', 'extraction', 'embedding', 'total'] as const;
export type LearnedStage = (typeof learnedStages)[number];
export type Took = Record<LearnedStage, number>;

const Rate = v.object({
	file_type: v.string(),
	magnitude: v.number(),
	stage: v.picklist(learnedStages),
	seconds: v.number()
});
export type Rate = v.InferOutput<typeof Rate>;
export type Kind = { fileType: string; sizeBytes: number };

/** Fewer files are no ground for anything, unless they took so long that what happens once at the start is none of it. */
const trustedSamples = 3;
const trustedSeconds = 5;
/** How much the newest file counts, once there are some. */
const newest = 0.2;
/** Cutting is never alone at work: it happens while pages come. */
const chunking = 0.05;
/** A stage that took no time is still one. */
const leastWeight = 0.02;

export type Rates = ReturnType<typeof createRates>;

export function createRates(db: Db) {
	return {
		async all(): Promise<Rate[]> {
			const { rows } = await db.query(knownSql);
			return v.parse(v.array(Rate), rows);
		},

		async learn({ fileType, sizeBytes }: Kind, took: Took): Promise<void> {
			const seconds = learnedStages.map((stage) => String(took[stage]));
			await db.query(learnSql, [fileType, magnitudeOf(sizeBytes), learnedStages, seconds]);
		}
	};
}

/** The shares of the stages in the work on such a file. */
export function weightsFrom(rates: readonly Rate[], kind: Kind): Weights {
	const usual = usualWeights(kind.fileType);
	const near = nearest(rates, kind);
	if (!near) return usual;
	const raw = (stage: LearnedStage) =>
		Math.max(near.took(stage) ?? 0, leastWeight * (near.took('total') ?? 0));
	const sum = raw('compression') + raw('extraction') + raw('embedding');
	if (sum === 0) return usual;
	const weight = (stage: LearnedStage) => ((1 - chunking) * raw(stage)) / sum;
	return {
		compression: weight('compression'),
		extraction: weight('extraction'),
		chunking,
		embedding: weight('embedding')
	};
}

/** How long the work on such a file takes; undefined as long as nobody can know it. */
export function secondsFrom(rates: readonly Rate[], kind: Kind): number | undefined {
	const near = nearest(rates, kind);
	const seconds = near?.took('total');
	if (near === undefined || seconds === undefined) return undefined;
	// A larger file takes longer in proportion; a smaller one has its fixed costs too.
	return seconds * 4 ** Math.max(0, magnitudeOf(kind.sizeBytes) - near.magnitude);
}

/** The same for want of any of its type: how long files of about its size take. */
export function secondsOfOthers(rates: readonly Rate[], { sizeBytes }: Kind): number | undefined {
	const types = [...new Set(rates.map((rate) => rate.file_type))];
	const known = types.flatMap((fileType) => secondsFrom(rates, { fileType, sizeBytes }) ?? []);
	return known.length > 0 ? known.reduce((sum, one) => sum + one) / known.length : undefined;
}

function nearest(rates: readonly Rate[], { fileType, sizeBytes }: Kind) {
	const wanted = magnitudeOf(sizeBytes);
	const known = rates.filter((rate) => rate.file_type === fileType);
	const distance = ({ magnitude }: Rate) => Math.abs(magnitude - wanted);
	const [first] = known.toSorted((a, b) => distance(a) - distance(b) || a.magnitude - b.magnitude);
	if (!first) return undefined;
	const same = known.filter(({ magnitude }) => magnitude === first.magnitude);
	return {
		magnitude: first.magnitude,
		took: (stage: LearnedStage) => same.find((rate) => rate.stage === stage)?.seconds
	};
}

function magnitudeOf(sizeBytes: number): number {
	return Math.round(Math.log2(Math.max(1, sizeBytes)) / 2);
}

const knownSql = `
	select file_type, magnitude, stage, seconds from (
		select r.*, max(seconds) over (partition by file_type, magnitude) as longest from asura.stage_rates r
	) rates where samples >= ${trustedSamples} or longest >= ${trustedSeconds}`;

const learnSql = `
	insert into asura.stage_rates as r (file_type, magnitude, stage, seconds)
	select $1, $2::int, u.stage, u.seconds::float8 from unnest($3::text[], $4::text[]) as u (stage, seconds)
	on conflict (file_type, magnitude, stage) do update set samples = r.samples + 1,
		seconds = r.seconds + (excluded.seconds - r.seconds) * greatest(${newest}, 1.0 / (r.samples + 1))`;
