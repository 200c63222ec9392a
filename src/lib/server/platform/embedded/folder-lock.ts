// One process at a time in a data folder; two would lose each other's rows without any error.
//
// `lock` names its owner. The successor of a dead owner is whoever creates `lock.<its nonce>`, which only one can;
// that file is then renamed to `lock`, which ends the old owner and frees the name in the same instant. Somebody slow
// may create the name once more, but then finds that `lock` does not lead to his file, and gives it up.
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { ConfigError } from '../../config.ts';
import type { Stop } from '../platform.ts';
import { ignoring } from './durable.ts';
import { isAlive, ownIdentity } from './process-identity.ts';

const lockName = 'lock';
const draftPrefix = 'lock-draft.';
const draftMs = 60_000;
const beatMs = 5_000;
/** An owner whose process cannot be seen from here, in another container, is alive while it touches its file. */
const silentMs = 4 * beatMs;

const Owner = v.object({ nonce: v.string(), pid: v.number(), began: v.string(), place: v.string() });
type Owner = v.InferOutput<typeof Owner>;

/** Throws a ConfigError with a sentence for a person when another process has the folder. */
export async function lockFolder(folder: string): Promise<Stop> {
	const own: Owner = { nonce: randomUUID(), ...(await ownIdentity()) };
	const draft = path.join(folder, `${draftPrefix}${own.nonce}`);
	await writeFile(draft, JSON.stringify(own), { mode: 0o600, flush: true });
	try {
		while (!(await claim(folder, own, draft)));
	} finally {
		await rm(draft, { force: true });
	}
	await removeLeftovers(folder);
	return keep(path.join(folder, lockName), own);
}

/** The owner at work in `folder`, if there is one. */
export async function findOwner(folder: string): Promise<{ pid: number } | undefined> {
	const { owner, isAlive } = await followChain(folder, (await ownIdentity()).place);
	return isAlive ? owner : undefined;
}

/** false: others were at it at the same time; look again. */
async function claim(folder: string, own: Owner, draft: string): Promise<boolean> {
	const end = await followChain(folder, own.place);
	if (end.owner && end.isAlive) throw inUse(folder, end.owner);
	const successor = path.join(folder, end.free);
	const isMine = await ignoring(['EEXIST'], async () => {
		await link(draft, successor);
		return true;
	});
	if (!isMine) return false;
	const { owner } = await followChain(folder, own.place);
	if (owner?.nonce !== own.nonce) {
		await rm(successor, { force: true });
		return false;
	}
	await rename(successor, path.join(folder, lockName));
	return true;
}

/** From `lock` over dead owners to the last one, and the name under which its successor would stand. */
async function followChain(folder: string, place: string) {
	let free = lockName;
	let owner: Owner | undefined;
	let isAlive = false;
	for (;;) {
		const file = path.join(folder, free);
		const next = await readOwner(file);
		if (!next) return { owner, isAlive, free };
		owner = next;
		isAlive = await isAtWork(file, next, place);
		free = `${lockName}.${next.nonce}`;
	}
}

async function readOwner(file: string): Promise<Owner | undefined> {
	const text = await ignoring(['ENOENT'], () => readFile(file, 'utf8'));
	if (text === undefined) return undefined;
	const owner = v.safeParse(v.pipe(v.string(), v.parseJson(), Owner), text);
	if (owner.success) return owner.output;
	throw new ConfigError(`${file} is not a lock of Asura. Remove it if no Asura is running in this folder.`);
}

async function isAtWork(file: string, owner: Owner, place: string): Promise<boolean> {
	if (owner.place === place) return isAlive(owner);
	return (await ageMs(file)) < silentMs;
}

function inUse(folder: string, { pid, place }: Owner): ConfigError {
	return new ConfigError(
		`The data folder ${folder} is in use by another Asura (process ${pid} on ${place.split(' ')[0]}). ` +
			'Stop that one, or choose another DATA_DIR.'
	);
}

/** What dead starters left behind; nothing here counts while `lock` has a living owner. */
async function removeLeftovers(folder: string): Promise<void> {
	for (const name of await readdir(folder)) {
		const file = path.join(folder, name);
		const isOld =
			name.startsWith(`${lockName}.`) || (name.startsWith(draftPrefix) && (await ageMs(file)) > draftMs);
		if (isOld) await rm(file, { force: true });
	}
}

async function ageMs(file: string): Promise<number> {
	const info = await ignoring(['ENOENT'], () => stat(file));
	return info ? Date.now() - info.mtimeMs : Infinity;
}

function keep(file: string, own: Owner): Stop {
	const beat = setInterval(() => {
		const now = new Date();
		// A folder that was removed under us is found out by the next write to it.
		utimes(file, now, now).catch(() => undefined);
	}, beatMs).unref();
	return async () => {
		clearInterval(beat);
		if ((await readOwner(file))?.nonce === own.nonce) await rm(file, { force: true });
	};
}
