// One subscription to the changes of public.files over one connection of its own. It opens once, ends once, and is
// never mended: whoever wants to go on opens another one, with a new token and nothing of the old state.
import { createClient } from '@supabase/supabase-js';
import * as v from 'valibot';
import type { Project } from './project-http.ts';

export type LineOptions = {
	supabase: Project;
	/** How long opening may take. */
	openMs: number;
	heartbeatMs: number;
	/** Instead of the WebSocket of Node, for tests. */
	transport?: typeof WebSocket | undefined;
};

export type Line = {
	/** Resolves with the reason why nothing more will come. */
	ended: Promise<string>;
	close(): Promise<void>;
};

const System = v.object({ extension: v.string(), status: v.string(), message: v.optional(v.string()) });
/** A deleted row shows nothing but its id, and a large one perhaps not even that. */
const Changed = v.object({ user_id: v.pipe(v.string(), v.uuid()) });

/**
 * Resolves when changes flow. That is what the "system" message says; SUBSCRIBED only means that the channel was
 * joined, up to seconds earlier.
 */
export async function openLine(
	options: LineOptions,
	onWake: (userId: string | undefined) => void
): Promise<Line> {
	const { openMs, transport } = options;
	const flows = Promise.withResolvers<void>();
	const ended = Promise.withResolvers<string>();
	const end = (reason: string) => {
		flows.reject(new Error(reason));
		ended.resolve(reason);
	};
	const client = createClient(options.supabase.url, options.supabase.secretKey, {
		auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
		realtime: {
			timeout: openMs,
			heartbeatIntervalMs: options.heartbeatMs,
			heartbeatCallback: (status) => void (status === 'timeout' && end('no answer to a heartbeat')),
			...(transport && { transport })
		}
	});
	const timer = setTimeout(() => end('the subscription was not confirmed in time'), openMs);
	client
		.channel('asura-files')
		.on('postgres_changes', { event: '*', schema: 'public', table: 'files' }, (change) => {
			const read = v.safeParse(Changed, change.new);
			onWake(read.success ? read.output.user_id : undefined);
		})
		.on('system', {}, (message: unknown) => {
			const read = v.safeParse(System, message);
			if (!read.success) return;
			if (read.output.status !== 'ok') end(read.output.message ?? 'an error without words');
			else if (read.output.extension === 'postgres_changes') flows.resolve();
		})
		.subscribe((status, error) => {
			if (status !== 'SUBSCRIBED') end(error ? `${status}: ${error.message}` : status);
		});

	async function close(): Promise<void> {
		end('closed');
		await client.realtime.disconnect();
	}
	try {
		await flows.promise;
		return { ended: ended.promise, close };
	} catch (error) {
		await close();
		throw error;
	} finally {
		clearTimeout(timer);
	}
}
