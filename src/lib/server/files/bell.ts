// The doorbell: "something of this person changed". It rings after the commit, in a transaction of its own (a NOTIFY
// inside a writing one would serialise all writers), and at most once per `quietMs` and person.
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { filesChannel } from '../platform/listen-feed.ts';
import type { Db } from '../platform/platform.ts';

export type Bell = ReturnType<typeof createBell>;

export function createBell({ db, log, quietMs = 20 }: { db: Db; log: Log; quietMs?: number }) {
	/** People whose bell rang a moment ago; true: it has to ring again when the quiet time is over. */
	const quiet = new Map<string, boolean>();

	function ring(userId: string): void {
		if (quiet.has(userId)) {
			quiet.set(userId, true);
			return;
		}
		quiet.set(userId, false);
		// A listener that misses it still polls, so a bell that fails is worth a line and nothing more.
		db.notify(filesChannel, userId).catch((error: unknown) =>
			log.warn({ error: messageOf(error) }, 'the bell did not ring')
		);
		setTimeout(() => {
			const again = quiet.get(userId);
			quiet.delete(userId);
			if (again) ring(userId);
		}, quietMs).unref();
	}

	return { ring };
}
