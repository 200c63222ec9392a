// Room on the disk of DATA_DIR. The built-in database stops when it cannot write any more, and everything with it: so no
// upload is taken and no start is tried while there is too little for it.
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './config.ts';
import { problem } from './errors.ts';

const mebibyte = 1024 * 1024;
/** Kept for the database, its log, and what is still made of the files that are there. */
const reservedBytes = 256 * mebibyte;
/** A database that was stopped by a full disk needs some to find its feet. */
const startBytes = 48 * mebibyte;
const lookEveryBytes = 8 * mebibyte;

export type Room = ReturnType<typeof createRoom>;
/** Told of each piece that grows what is on the disk; throws when there is no room for more. */
export type Look = (bytes: number) => Promise<void>;

export function createRoom(folder: string, reserved = reservedBytes) {
	/** `bytes`: what is to come, as far as it is known. */
	async function require(bytes = 0): Promise<void> {
		if ((await freeBytes(folder)) < reserved + bytes) throw problem('server.disk_full');
	}

	return {
		require,
		/** For what grows piece by piece: looks at the first one, and every now and then. */
		watch(): Look {
			let unseen = lookEveryBytes;
			return async (bytes) => {
				unseen += bytes;
				if (unseen < lookEveryBytes) return;
				unseen = 0;
				await require();
			};
		}
	};
}

/** Before anything is opened: what a database says that cannot write is no help. */
export async function refuseFullDisk(folder: string): Promise<void> {
	const free = await freeBytes(folder);
	if (free >= startBytes) return;
	throw new ConfigError(
		`The disk of DATA_DIR (${folder}) is full: ${Math.floor(free / mebibyte)} MiB are free, and the database needs ${startBytes / mebibyte} MiB to start. Make room, or move the folder.`
	);
}

/** A folder that is not there yet will be made in the next one up that is. */
async function freeBytes(folder: string): Promise<number> {
	try {
		const { bavail, bsize } = await statfs(folder);
		return bavail * bsize;
	} catch (error) {
		const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		if (!isMissing || path.dirname(folder) === folder) throw error;
		return freeBytes(path.dirname(folder));
	}
}
