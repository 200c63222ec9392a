// Prometheus metrics. A registry per app, not per process, so that tests and restarts in one process do not meet.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
	const registry = new Registry();
	const registers = [registry];
	collectDefaultMetrics({ register: registry });
	// prettier-ignore
	return {
		registry,
		uploads: new Counter({ name: 'asura_uploads_total', help: 'Files received, by outcome', labelNames: ['outcome'], registers }),
		uploadedBytes: new Counter({ name: 'asura_uploaded_bytes_total', help: 'Bytes kept', registers }),
		filesEnded: new Counter({ name: 'asura_files_ended_total', help: 'Files that ended, by status and error code', labelNames: ['status', 'code'], registers }),
		stageSeconds: new Histogram({ name: 'asura_stage_seconds', help: 'Duration of stages', labelNames: ['stage'], buckets: [0.05, 0.2, 1, 5, 20, 60, 300], registers }),
		providerCalls: new Counter({ name: 'asura_provider_calls_total', help: 'Calls to the embedding provider, by outcome', labelNames: ['outcome'], registers }),
		streams: new Gauge({ name: 'asura_streams', help: 'Open live connections', registers }),
		frames: new Counter({ name: 'asura_stream_frames_total', help: 'Frames sent, by event', labelNames: ['event'], registers }),
		conflated: new Counter({ name: 'asura_stream_conflated_total', help: 'States replaced by a newer one before they were sent', registers }),
		resumes: new Counter({ name: 'asura_stream_resumes_total', help: 'Connections that continued from a cursor', registers }),
		resets: new Counter({ name: 'asura_stream_resets_total', help: 'Cursors that could not be continued', registers }),
		slowReaders: new Counter({ name: 'asura_stream_slow_readers_total', help: 'Connections closed because nobody read them', registers }),
		deliverySeconds: new Histogram({ name: 'asura_stream_delivery_seconds', help: 'From a committed change to its frame', buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1], registers })
	};
}

export type GaugeSources = {
	queue(): Promise<{ waiting: number; active: number }>;
	/** undefined: there is no pool. */
	pool: (() => { open: number; idle: number; waiting: number }) | undefined;
	log: Log;
};

/** Asked whenever the metrics are read. A database that is away leaves them as they were; the others are told. */
export function addGauges({ registry }: Metrics, { queue, pool, log }: GaugeSources): void {
	const registers = [registry];
	new Gauge({
		name: 'asura_queue_jobs',
		help: 'Jobs of all processes together, by state',
		labelNames: ['state'],
		registers,
		async collect() {
			try {
				for (const [state, count] of Object.entries(await queue())) this.set({ state }, count);
			} catch (error) {
				log.debug({ error: messageOf(error) }, 'the queue was not counted');
			}
		}
	});
	if (!pool) return;
	new Gauge({
		name: 'asura_pool_connections',
		help: 'Connections of this process to the database, and statements that wait for one, by state',
		labelNames: ['state'],
		registers,
		collect() {
			for (const [state, count] of Object.entries(pool())) this.set({ state }, count);
		}
	});
}
