import type { ChangeFeed, Db } from './platform.ts';

export const filesChannel = 'asura_files';

/** The doorbell over LISTEN. An empty payload means "perhaps anybody": the connection was gone for a moment. */
export function createListenFeed(db: Db): ChangeFeed {
	return { subscribe: (onWake) => db.listen(filesChannel, (userId) => onWake(userId || undefined)) };
}
