// The composition root: every part is made here, once, and handed what it needs. The arrows that point back (the
// queue runs the pipeline, files ring the bell) are function arguments and stand in this file only.
import path from 'node:path';
import * as v from 'valibot';
import { createAudit } from './auth/audit.ts';
import { createAuth } from './auth/auth.ts';
import type { Config } from './config.ts';
import { createNamer } from './embedder/chat.ts';
import { createEmbedder } from './embedder/embedder.ts';
import { estimateUsd } from './embedder/prices.ts';
import { createVision } from './embedder/vision.ts';
import { errorBody, problem, toAppError } from './errors.ts';
import { createEvents } from './events/events.ts';
import { createHarness } from './events/harness.ts';
import { createBell } from './files/bell.ts';
import { createChanges } from './files/changes.ts';
import { createFiles } from './files/files.ts';
import { createWorkers } from './files/workers.ts';
import { createLog, type Log } from './log.ts';
import { addGauges, createMetrics } from './metrics.ts';
import { createDoctor } from './pipeline/doctor.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { createPositions } from './pipeline/positions.ts';
import { createRates } from './pipeline/rates.ts';
import { createReembedding } from './pipeline/reembedding.ts';
import { chunkPages } from './pipeline/stages/chunk.ts';
import { createStages } from './pipeline/stages/stages.ts';
import { createSweeper } from './pipeline/sweeper.ts';
import { openPlatform } from './open-platform.ts';
import type { Stop } from './platform/platform.ts';
import { createProcessor } from './processor/processor.ts';
import { createProjects } from './projects/projects.ts';
import { createTopics } from './projects/topics/topics.ts';
import { createQueue } from './queue/queue.ts';
import { createRoom } from './room.ts';
import { createScratch } from './scratch.ts';
import { createSearch } from './search/search.ts';
import { createVectorIndex } from './search/vector-index.ts';
import { addToSpan, inSpan } from './tracing.ts';
import { createResumable } from './uploads/resumable.ts';
import { createUploads } from './uploads/uploads.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

const readyMs = 3000;

export type App = Awaited<ReturnType<typeof createApp>>;

export type AppOptions = {
	log?: Log;
	/** The database has stopped for good: only a new process helps. */
	onCrash?: (error: Error) => void;
};

export async function createApp(config: Config, options: AppOptions = {}) {
	const log = options.log ?? createLog(config.logLevel);
	const metrics = createMetrics();
	const scratch = createScratch(path.join(config.dataDir, 'tmp'));
	const platform = await openPlatform({ config, scratch, log, onCrash: options.onCrash });
	const { db, blobs, capabilities, identity } = platform;

	addGauges(metrics, { queue: () => queue.stats(), pool: platform.poolState, log });
	const auth = createAuth({ db, config, identity, log });
	const audit = createAudit({ db, log });
	const bell = createBell({ db, log });
	const changes = createChanges({ db, capabilities });
	const queue = createQueue({ db, capabilities, config, log });
	const workers = createWorkers({ db, lanes: config.workerConcurrency, log });
	const files = createFiles({
		db,
		blobs,
		bell,
		changes,
		workers,
		jobs: queue,
		estimateUsd: (model, tokens) => estimateUsd(config.provider?.baseUrl, model, tokens)
	});
	const embedder = createEmbedder({ config, metrics, log });
	const stages = createStages({ config, log });
	const rates = createRates(db);
	const processor =
		config.processor &&
		createProcessor({ config: config.processor, db, bell, content: files.content, wake: queue.wake });
	const pipeline = createPipeline({
		db,
		blobs,
		files,
		stages,
		cut: chunkPages,
		embedder,
		vision: createVision({ config, metrics, log }),
		processor,
		rates,
		scratch,
		metrics,
		log
	});
	const reembedding = createReembedding({ db, queue, embedder, log });
	const alsoTakes = processor?.takes;
	const keeping = { blobs, files, config, metrics, log, alsoTakes, room: createRoom(config.dataDir) };
	const uploads = createUploads(keeping);
	const events = createEvents({ db, changes, changeFeed: platform.changes, auth, config, metrics, log });
	const partials = path.join(config.dataDir, 'uploads');
	const projects = createProjects({
		db,
		bell,
		quotaBytes: config.userQuotaBytes,
		leave: events.leave
	});
	const resumable = createResumable({
		...keeping,
		folder: partials,
		db,
		reachProject: (userId, projectId) => projects.reach(userId, projectId, 'editor')
	});
	const vectorIndex = createVectorIndex({ db: platform.slowDb ?? db, capabilities, log });
	const webhooks = createWebhooks({
		db,
		capabilities,
		config,
		reachProject: (userId, projectId) => projects.reach(userId, projectId, 'editor'),
		log,
		notify: (user, { url, reason }) =>
			events.send({
				to: { user },
				event: 'notification',
				data: {
					title: 'A webhook was switched off',
					message: `${new URL(url).host}: ${reason}`,
					type: 'warning'
				}
			})
	});
	const topics = createTopics({
		db,
		capabilities,
		model: embedder.model,
		bell,
		namer: createNamer({ config, metrics, log }),
		log
	});
	const sweeper = createSweeper({
		db,
		blobs,
		files,
		queue,
		uploads: resumable,
		scratch,
		log,
		upkeep: () =>
			Promise.all([events.prune(), audit.prune(), webhooks.prune(), topics.prune(), vectorIndex.build()])
	});
	const doctor = createDoctor({ db, blobs, files, queue, sweeper });
	platform.onCommand?.('doctor', async (to, options) => {
		const isToMend = options.get('mend') === '1';
		if (isToMend) await audit.note({ who: 'command line', what: 'mend' });
		await doctor.answer(to, isToMend);
	});
	const positions = createPositions({ files, queue, rates, countLanes: workers.lanes, log });
	const search = createSearch({ db, embedder, capabilities });

	let stopDuties: Stop = async () => undefined;

	const harness = config.hasHarness
		? createHarness({
				db,
				blobs,
				bell,
				changes,
				events,
				crashWorker: (userId) => stages.crash(userId),
				quotaBytes: config.userQuotaBytes,
				log
			})
		: undefined;

	return {
		config,
		log,
		metrics,
		auth,
		files,
		uploads,
		resumable,
		projects,
		queue,
		search,
		events,
		/** What searches go by. */
		embedder: { name: embedder.name, model: embedder.model, isSemantic: embedder.isSemantic },
		/** Nothing of this person remains: sessions first, so that nobody adds to it and streams say goodbye. */
		async forget(userId: string): Promise<void> {
			await auth.endSessions(userId);
			await resumable.forgetAll(userId);
			await files.forget(userId, (tx) => auth.removePerson(tx, userId));
		},
		webhooks,
		/** Undefined where no service reads files for us. */
		processor,
		/** Undefined where the harness page is off. */
		harness,
		doctor,
		audit,
		parse,
		/** For hooks, which cannot import it. */
		trace: { inSpan, addToSpan },
		/** For routes and hooks, which cannot import them (docs/decisions/001). */
		errors: { problem, toAppError, errorBody },
		/** Throws when a part does not answer. */
		async readiness() {
			const parts = await askAll(
				{
					database: () => db.query('select 1'),
					storage: () => blobs.stat('none/original'),
					queue: () => queue.stats()
				},
				log
			);
			const isReady = Object.values(parts).every((state) => state === 'ok');
			if (!isReady) throw problem('server.unavailable', { details: { parts } });
			return { status: 'ok', parts };
		},
		async start() {
			await queue.start();
			if (config.role !== 'web') await startWork();
			if (config.role === 'worker') return;
			await events.start();
			auth.start();
		},
		/** Streams say goodbye first, then the work in hand is given back, then the database closes. */
		async stop() {
			auth.stop();
			await events.stop('shutdown');
			await harness?.stop();
			await webhooks.stop();
			await stopDuties();
			await queue.stop();
			await workers.leave();
			await stages.close();
			await platform.close();
		}
	};

	async function startWork(): Promise<void> {
		await workers.join();
		await scratch.removeAbandoned();
		await queue.work({
			run: (job, signal) => (job.kind === 'vectors' ? reembedding : pipeline).run(job, signal),
			giveUp: pipeline.giveUp
		});
		await webhooks.start();
		stopDuties = platform.lead ? platform.lead(startDuties) : await startDuties();
	}

	/** What one process does for all. */
	async function startDuties(): Promise<Stop> {
		await reembedding.start();
		positions.start();
		sweeper.start();
		topics.start();
		return async () => {
			await sweeper.stop();
			await topics.stop();
			await positions.stop();
		};
	}
}

/** What comes from outside is parsed here; a schema's own words tell the caller what to correct. */
function parse<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
	const result = v.safeParse(schema, value);
	if (result.success) return result.output;
	const issues = result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message }));
	throw problem('request.invalid', { details: { issues } });
}

export type Readiness = Record<string, 'ok' | 'down'>;

/** A part that does not answer in time counts as down: whoever asks wants an answer, not a wait. */
async function askAll(parts: Record<string, () => Promise<unknown>>, log: Log): Promise<Readiness> {
	const asked = Object.entries(parts).map(async ([name, ask]) => {
		try {
			await withTimeLimit(ask());
			return [name, 'ok'] as const;
		} catch (error) {
			log.warn({ err: error, part: name }, 'a part of the server cannot be reached');
			return [name, 'down'] as const;
		}
	});
	return Object.fromEntries(await Promise.all(asked));
}

async function withTimeLimit(answer: Promise<unknown>): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const tooLate = new Promise<never>((_resolve, reject) => {
		timer = setTimeout(() => reject(new Error('no answer in time')), readyMs);
	});
	await Promise.race([answer, tooLate]).finally(() => clearTimeout(timer));
}
