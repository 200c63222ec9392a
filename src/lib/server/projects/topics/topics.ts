// Looks for topics where files were completed or went: after a pause, one project at a time, in a thread of its own.
// Whatever goes wrong leaves the topics as they were, and is tried again.
import type { Namer } from '../../embedder/chat.ts';
import { messageOf } from '../../errors.ts';
import type { Bell } from '../../files/bell.ts';
import type { Log } from '../../log.ts';
import type { Capabilities, Db, Stop } from '../../platform/platform.ts';
import { findTopicsAside } from './aside.ts';
import type { Passage, Topic } from './find.ts';
import { keyOfPassage } from './settle.ts';
import { createTopicStore, type Named, type Turn } from './store.ts';

export type Topics = ReturnType<typeof createTopics>;

type Deps = {
	db: Db;
	capabilities: Pick<Capabilities, 'hasVectors'>;
	/** Of the vectors. */
	model: string;
	bell: Bell;
	/** Undefined: topics are named by their own words. */
	namer: Namer | undefined;
	log: Log;
};

const lookEveryMs = 1000;
const passagesShown = 4;

export function createTopics({ db, capabilities, model, bell, namer, log }: Deps) {
	const store = createTopicStore({ db, capabilities, model });
	let stop: Stop = async () => undefined;

	async function run({ project_id: projectId, ...turn }: Turn, signal: AbortSignal): Promise<void> {
		const startedAt = performance.now();
		const material = await store.read(projectId);
		const found = await findTopicsAside(material, signal);
		const nameless = await store.write(projectId, found);
		await ring(projectId);
		if (namer && nameless) {
			for (const { id, title, passages } of describe(nameless, found, material.passages)) {
				const name = await namer({ title, passages }, signal);
				// Nothing more is asked of a model that does not answer: the next change is soon enough.
				if (name === undefined) break;
				await store.rename(id, name);
				await ring(projectId);
			}
		}
		await store.finish({ project_id: projectId, ...turn }, performance.now() - startedAt);
	}

	async function ring(projectId: string): Promise<void> {
		const { rows } = await db.query<{ owner_id: string }>(
			'select owner_id::text from public.projects where id = $1',
			[projectId]
		);
		for (const { owner_id } of rows) bell.ring(owner_id);
	}

	async function look(signal: AbortSignal): Promise<void> {
		try {
			for (let turn = await store.take(); turn && !signal.aborted; turn = await store.take())
				await run(turn, signal);
		} catch (error) {
			if (!signal.aborted) log.warn({ err: error }, `topics stay as they were: ${messageOf(error)}`);
		}
	}

	/** Until it is stopped; what is found meanwhile is given up then, and done by whoever takes over. */
	function watch(): Stop {
		const controller = new AbortController();
		const { signal } = controller;
		let timer: NodeJS.Timeout | undefined;
		let looking: Promise<void> | undefined;
		const plan = () => {
			if (!signal.aborted) timer = setTimeout(() => (looking = look(signal).then(plan)), lookEveryMs).unref();
		};
		plan();
		return async () => {
			controller.abort(new Error('stopping'));
			clearTimeout(timer);
			await looking;
		};
	}

	return {
		prune: () => store.prune(),
		start: (): void => void (stop = watch()),
		stop: () => stop()
	};
}

/** What a model is shown of each. */
function describe(nameless: readonly Named[], found: readonly Topic[], passages: readonly Passage[]) {
	const texts = new Map(passages.map((passage) => [keyOfPassage(passage), passage.text]));
	return nameless.map(({ id, key, title }) => {
		const support = found.find((topic) => topic.key === key)?.support.slice(0, passagesShown) ?? [];
		return { id, title, passages: support.flatMap((one) => texts.get(keyOfPassage(one)) ?? []) };
	});
}
