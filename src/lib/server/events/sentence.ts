// What is happening to a file, for people who watch it in a terminal.
import { type Activity, alsoUnderWay, type Stage, type StoredFile } from '#lib/shared/files.ts';

const verbs: Record<Stage, string> = {
	upload: 'Kept',
	compression: 'Compressing',
	extraction: 'Reading',
	chunking: 'Cutting into passages',
	embedding: 'Embedding'
};

export function sentenceOf(file: StoredFile): string {
	const { status, processing_stage, activity, queue_position, error_message } = file;
	if (status === 'completed') return 'Done';
	if (status === 'cancelled') return 'Cancelled';
	if (status === 'failed') return error_message ?? 'Failed';
	if (status === 'pending') return queue_position ? `Waiting, ${queue_position} before it` : 'Waiting';
	if (!processing_stage) return 'Starting';
	if (activity?.unit === 'seconds_waiting') return waiting(activity);
	const others = alsoUnderWay(file).map((stage) => `, ${verbs[stage].toLowerCase()}`);
	return `${verbs[processing_stage]}${amount(activity)}${others.join('')}`;
}

function waiting({ done, total }: Activity): string {
	return total === null
		? 'Waiting for the provider'
		: `Waiting ${Math.max(0, total - done)} s for the provider`;
}

function amount(activity: Activity | null): string {
	if (!activity) return '';
	const { done, total, unit } = activity;
	return total === null ? `: ${done} ${unit}` : `: ${done} of ${total} ${unit}`;
}
