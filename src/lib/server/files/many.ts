// The same done to several files: one after the other, each for itself.
import type { ManyAnswer } from '#lib/shared/api.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { AppError } from '../errors.ts';

/** `act` returns the file as it is now, or nothing when it is gone. */
export async function actOnEach(
	ids: readonly string[],
	act: (id: string) => Promise<StoredFile | undefined>
): Promise<ManyAnswer> {
	const answer: ManyAnswer = { files: [], deleted: [], errors: [] };
	for (const id of ids) {
		try {
			const file = await act(id);
			if (file) answer.files.push(file);
			else answer.deleted.push(id);
		} catch (error) {
			if (!(error instanceof AppError) || error.status >= 500) throw error;
			answer.errors.push({ id, code: error.code, message: error.message });
		}
	}
	return answer;
}
