// What was found now, and what is known: the same topic keeps its id, by its phrase or else by its passages, so that
// what people decided about it stays. Pure.
import type { Topic } from './find.ts';
import { overlap } from './find.ts';

export type Known = { id: string; key: string; status: string; support: readonly string[] };
export type Settled = { kept: { id: string; topic: Topic }[]; added: Topic[]; gone: string[] };

/** Passages in common that make two the same topic under another phrase. */
const sameFrom = 0.5;

export const keyOfPassage = ({ fileId, ordinal }: Topic['support'][number]) => `${fileId} ${ordinal}`;

export function settle(found: readonly Topic[], known: readonly Known[]): Settled {
	const left = new Map(known.map((one) => [one.id, one]));
	const kept: Settled['kept'] = [];
	const keep = (topic: Topic, one: Known | undefined): boolean => {
		if (!one) return false;
		left.delete(one.id);
		kept.push({ id: one.id, topic });
		return true;
	};
	const byKey = new Map(known.map((one) => [one.key, one]));
	const renamed = found.filter((topic) => !keep(topic, byKey.get(topic.key)));
	const added = renamed.filter((topic) => !keep(topic, nearest(topic, [...left.values()])));
	const gone = [...left.values()].filter(({ status }) => status === 'open').map(({ id }) => id);
	return { kept, added, gone };
}

function nearest(topic: Topic, known: readonly Known[]): Known | undefined {
	const own = new Set(topic.support.map(keyOfPassage));
	return known
		.map((one) => ({ one, share: overlap(own, new Set(one.support)) }))
		.filter(({ share }) => share >= sameFrom)
		.sort((a, b) => b.share - a.share || (a.one.id < b.one.id ? -1 : 1))[0]?.one;
}
