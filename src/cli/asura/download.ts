// asura download: the bytes of one file, whole or not at all.
import { createWriteStream } from 'node:fs';
import { access, link, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import type { Variant } from '#lib/client/api.ts';
import { type Context, toId } from './context.ts';
import { type Exit, exits, UsageError } from './exit.ts';
import { harmless } from './output.ts';

const variants = [
	'original',
	'compressed',
	'thumbnail',
	'preview',
	'text'
] as const satisfies readonly Variant[];
const endings: Record<Variant, string> = {
	original: '',
	compressed: '',
	thumbnail: '.webp',
	preview: '.webp',
	text: '.txt'
};

export type DownloadOptions = {
	output?: string | undefined;
	variant?: string | undefined;
	force?: boolean | undefined;
};

export async function download(
	{ api, out, signal, folder }: Context,
	given: readonly string[],
	options: DownloadOptions
): Promise<Exit> {
	const [id, ...more] = given.map(toId);
	if (!id || more.length > 0) throw new UsageError('Name one id: asura download <id>.');
	const variant = toVariant(options.variant);
	const { filename } = await api.get(id);
	const target =
		options.output === '-' ? undefined : targetOf(folder, options.output, filename + endings[variant]);
	if (target && !options.force && (await isThere(target)))
		throw new UsageError(`${target} is there already; --force replaces it.`);
	const { body } = await api.content(id, variant, signal);
	const bytes = body ? Readable.fromWeb(body as ReadableStream) : Readable.from([]);
	if (!target) {
		await pipeline(bytes, process.stdout, { signal, end: false });
		return exits.done;
	}
	await write(bytes, target, { signal, isReplacing: options.force === true });
	out.tell(`downloaded  ${harmless(target)}`, { event: 'downloaded', id, path: target });
	return exits.done;
}

async function write(
	bytes: Readable,
	target: string,
	{ signal, isReplacing }: { signal: AbortSignal; isReplacing: boolean }
): Promise<void> {
	const partial = `${target}.${process.pid}.part`;
	try {
		await pipeline(bytes, createWriteStream(partial, { flags: 'wx' }), { signal });
		// A link fails where something has come meanwhile; a rename would replace it.
		await (isReplacing ? rename(partial, target) : link(partial, target));
	} finally {
		await rm(partial, { force: true });
	}
}

/** The server's name for the file is somebody's words: never a way to another folder. */
function targetOf(folder: string, output: string | undefined, filename: string): string {
	if (output !== undefined) return path.resolve(folder, output);
	const name = harmless(filename)
		.replace(/[/\\:]/g, '_')
		.replace(/^\.+/, '_');
	return path.resolve(folder, name || 'download');
}

function isThere(file: string): Promise<boolean> {
	return access(file).then(
		() => true,
		() => false
	);
}

function toVariant(given = 'original'): Variant {
	const variant = variants.find((one) => one === given);
	if (variant) return variant;
	throw new UsageError(`${given} is no version of a file; there are ${variants.join(', ')}.`);
}
