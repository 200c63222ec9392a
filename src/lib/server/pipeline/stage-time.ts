// How long a stage takes, told to the metrics and to the trace.
import type { Metrics } from '../metrics.ts';
import { beginSpan } from '../tracing.ts';

/** Ended by what is returned. */
export function beginStage(metrics: Pick<Metrics, 'stageSeconds'>, stage: string): () => void {
	const stopTimer = metrics.stageSeconds.startTimer({ stage });
	const endSpan = beginSpan(`stage ${stage}`, { stage });
	return () => {
		stopTimer();
		endSpan();
	};
}
