// How good the remaining times are that people are told: what was said at three moments between a file's arrival and its
// end, while it waited or was at work, against what was then still to come.
import { isTerminal, type StoredFile } from '#lib/shared/files.ts';

type Said = { at: number; etaSeconds: number | null };

const moments = [0.25, 0.5, 0.75];
/** In less time nobody reads a number of seconds. */
const shortestMs = 2000;

export function createEtaWatch(now: () => number = () => performance.now()) {
	const runs = new Map<string, Said[]>();
	const endedAt = new Map<string, number>();

	/** null: nothing was said. */
	function ratiosOf(id: string, said: readonly Said[]): (number | null)[] {
		const end = endedAt.get(id);
		const start = said[0]?.at;
		if (end === undefined || start === undefined || end - start < shortestMs) return [];
		return moments.map((share) => {
			const last = said.findLast(({ at }) => at <= start + share * (end - start));
			return last?.etaSeconds == null ? null : last.etaSeconds / ((end - last.at) / 1000);
		});
	}

	return {
		/** Called often, with the files as they are. */
		look(files: readonly StoredFile[]): void {
			const at = now();
			for (const { id, status, eta_seconds } of files) {
				const said = runs.get(id) ?? [];
				runs.set(id, said);
				if (!isTerminal(status)) said.push({ at, etaSeconds: eta_seconds });
				else if (status === 'completed' && !endedAt.has(id)) endedAt.set(id, at);
			}
		},
		/** Predicted by actual: 1 is right, 2 twice too long; null where nothing was said. */
		ratios: (): (number | null)[] => [...runs].flatMap(([id, said]) => ratiosOf(id, said))
	};
}
