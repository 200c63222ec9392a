import { AppError, problem } from '#lib/server/errors.ts';

/** For libraries whose every error means that the file is not what it should be. */
export async function orDamaged<T>(read: () => T | Promise<T>): Promise<T> {
	try {
		return await read();
	} catch (error) {
		if (error instanceof AppError) throw error;
		throw problem('file.damaged', { cause: error });
	}
}
