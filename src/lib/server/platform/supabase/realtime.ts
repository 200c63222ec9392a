// ChangeFeed by Supabase Realtime: a hint beside LISTEN and the safety poll, never the truth. Its subscriptions are
// known to fall silent after hours without a word, to lose what happens while they reconnect, and to end with their
// token. So a line that fails is replaced, one that seems well is replaced as well after a while, and each new one
// rings for everybody, since what happened before it was not heard.
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ChangeFeed } from '../platform.ts';
import { type Line, type LineOptions, openLine } from './realtime-line.ts';

export type RealtimeOptions = Omit<LineOptions, 'openMs' | 'heartbeatMs'> & {
	log: Log;
	openMs?: number;
	heartbeatMs?: number;
	/** No line is older. Shorter than the life of any token. */
	renewMs?: number;
	/** Pauses between attempts; the last one again and again. */
	retryMs?: readonly number[];
};

type Wake = (userId: string | undefined) => void;

export function createSupabaseRealtime(options: RealtimeOptions): ChangeFeed {
	return {
		/** Does not wait for the project: a hint that is missing keeps nobody from starting. */
		async subscribe(onWake) {
			const stopped = new AbortController();
			const running = run(options, onWake, stopped.signal);
			return async () => {
				stopped.abort();
				await running;
			};
		}
	};
}

async function run(options: RealtimeOptions, onWake: Wake, signal: AbortSignal): Promise<void> {
	const { log, renewMs = 10 * 60_000, retryMs = [1000, 2000, 5000, 15_000, 60_000] } = options;
	let line: Line | undefined;
	let failures = 0;
	while (!signal.aborted) {
		try {
			const next = await openNext(options, onWake, signal);
			await line?.close();
			line = next;
			failures = 0;
			onWake(undefined);
			const reason = await until(signal, renewMs, line.ended);
			if (reason !== undefined && !signal.aborted)
				log.info({ reason }, 'Realtime ended; a new line is opened');
		} catch (error) {
			if (signal.aborted) break;
			// Once per outage: it may last for days, and costs nothing but a moment of delay.
			if (failures++ === 0) log.warn(`Realtime is away, changes are found by asking: ${messageOf(error)}`);
			await until(signal, retryMs[Math.min(failures, retryMs.length) - 1] ?? renewMs);
		}
	}
	await line?.close();
}

async function openNext(options: RealtimeOptions, onWake: Wake, signal: AbortSignal): Promise<Line> {
	const { openMs = 20_000, heartbeatMs = 25_000 } = options;
	const opening = openLine({ ...options, openMs, heartbeatMs }, onWake);
	const line = await Promise.race([opening, until(signal, openMs * 2)]);
	if (line && typeof line === 'object') return line;
	// Whoever stops does not wait for an answer; if one comes, that line is closed at once.
	opening.then((late) => late.close()).catch(() => undefined);
	throw new Error('stopped');
}

/** The reason that `ended` gives; undefined when the time is up or the signal came first. */
async function until(signal: AbortSignal, ms: number, ended?: Promise<string>): Promise<string | undefined> {
	const { promise, resolve } = Promise.withResolvers<undefined>();
	const timer = setTimeout(resolve, ms, undefined);
	const stop = () => resolve(undefined);
	signal.addEventListener('abort', stop);
	if (signal.aborted) stop();
	try {
		return await Promise.race(ended ? [promise, ended] : [promise]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', stop);
	}
}
