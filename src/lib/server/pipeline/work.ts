// What the parts of the work on one file share.
import type { Warning } from '#lib/shared/files.ts';
import type { Embedder } from '../embedder/embedder.ts';
import type { Vision } from '../embedder/vision.ts';
import type { Claim } from '../files/claim.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { BlobStore, Db } from '../platform/platform.ts';
import type { Processor } from '../processor/processor.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Progress } from './progress.ts';
import type { Rates } from './rates.ts';
import type { Scope } from './scope.ts';
import type { StageInput, Stages } from './stage.ts';

export type PipelineDeps = {
	db: Db;
	blobs: BlobStore;
	stages: Stages;
	embedder: Pick<Embedder, 'model' | 'embed'>;
	/** Absent: scans and pictures are not read. */
	vision?: Vision | undefined;
	/** Absent: every file is read here. */
	processor?: Pick<Processor, 'takes' | 'read'> | undefined;
	metrics: Pick<Metrics, 'stageSeconds' | 'filesEnded'>;
	rates: Rates;
	log: Log;
};

export type Work = PipelineDeps & {
	claim: Claim;
	scope: Scope;
	progress: Progress;
	checkpoints: Checkpoints;
	/** For a stage, apart from `onTick`. */
	input: Omit<StageInput, 'onTick'>;
	warn(warning: Warning): void;
};
