// asura list, status, search, delete: one request, one answer.
import { type Status, type StoredFile, isTerminal, statuses } from '#lib/shared/files.ts';
import { nowLine, size } from '#lib/client/words.ts';
import { atLeastOne, type Context, toId } from './context.ts';
import { type Exit, exits, exitOf, UsageError } from './exit.ts';
import { harmless, type Output } from './output.ts';

const perPage = 500;

type ListOptions = {
	status?: string | undefined;
	limit?: string | undefined;
	project?: string | undefined;
};

export async function list({ api, out }: Context, { status, limit, project }: ListOptions): Promise<Exit> {
	const wanted = toStatus(status);
	const most = toNumber(limit, Infinity);
	let after: string | null | undefined;
	let told = 0;
	while (after !== null && told < most) {
		const page = await api.list({
			project,
			...(wanted && { status: wanted }),
			...(after && { after }),
			limit: Math.min(perPage, most - told)
		});
		for (const file of page.files) tellFile(file, out);
		told += page.files.length;
		after = page.next;
	}
	if (told === 0) out.note('There are no files.');
	return exits.done;
}

/** Of these files; without a name, of all that are not finished. */
export async function status(context: Context, given: readonly string[]): Promise<Exit> {
	const { api, out } = context;
	if (given.length === 0) return statusOfAll(context);
	const files = await Promise.all(given.map(toId).map((id) => api.get(id)));
	for (const file of files) tellFile(file, out);
	if (files.some((file) => file.status === 'failed' || file.status === 'cancelled')) return exits.failed;
	return files.every((file) => isTerminal(file.status)) ? exits.done : exits.working;
}

async function statusOfAll({ api, out }: Context): Promise<Exit> {
	const pages = await Promise.all(
		(['processing', 'pending'] as const).map((status) => api.list({ status, limit: perPage }))
	);
	const files = pages.flatMap((page) => page.files);
	for (const file of files) tellFile(file, out);
	if (files.length === 0) out.note('Nothing is at work.');
	return files.length === 0 ? exits.done : exits.working;
}

export async function search(
	{ api, out, signal }: Context,
	words: readonly string[],
	options: { limit?: string | undefined; file?: string | undefined; project?: string | undefined }
): Promise<Exit> {
	const query = atLeastOne(words, 'what you are looking for').join(' ');
	const file = options.file === undefined ? {} : { file: toId(options.file) };
	const { project } = options;
	const limit = toNumber(options.limit, 8);
	const { results } = await api.search(query, { limit, project, signal, ...file });
	for (const result of results) {
		const page = result.page === null ? '' : `, page ${result.page}`;
		const where = out.bold(`${harmless(result.file.filename)}${page}`);
		const text = marked(result.passage, result.highlights, out).replace(/\s+/g, ' ').trim();
		out.tell(`${where}  ${out.dim(result.file.id)}\n  ${text}`, result);
	}
	if (results.length === 0) out.note('Nothing was found.');
	return results.length === 0 ? exits.failed : exits.done;
}

export async function remove({ api, out }: Context, given: readonly string[]): Promise<Exit> {
	let exit: Exit = exits.done;
	for (const id of atLeastOne(given, 'the ids of the files').map(toId)) {
		try {
			await api.remove([id]);
			out.tell(`deleted  ${id}`, { event: 'deleted', id });
		} catch (error) {
			// The others are still deleted; the first failure decides how the command ends.
			exit ||= exitOf(error);
			out.note(`${id}: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
	return exit;
}

function tellFile(file: StoredFile, out: Output): void {
	const name = harmless(file.filename);
	out.tell(`${file.id}  ${size(file.size_bytes).padStart(8)}  ${name}  ${out.dim(nowLine(file))}`, file);
}

function marked(passage: string, highlights: readonly (readonly [number, number])[], out: Output): string {
	let at = 0;
	let text = '';
	for (const [start, end] of highlights) {
		text += harmless(passage.slice(at, start)) + out.accent(harmless(passage.slice(start, end)));
		at = end;
	}
	return text + harmless(passage.slice(at));
}

function toStatus(given: string | undefined): Status | undefined {
	const status = statuses.find((one) => one === given);
	if (given === undefined || status) return status;
	throw new UsageError(`${given} is no status; there are ${statuses.join(', ')}.`);
}

function toNumber(given: string | undefined, usual: number): number {
	if (given === undefined) return usual;
	if (!/^[1-9]\d{0,6}$/.test(given)) throw new UsageError(`${given} is no number of results.`);
	return Number(given);
}
