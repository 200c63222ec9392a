// The files that this page is sending. Each is looked for among those the person has (known.ts), then sent, three at a
// time, each alone: one that fails keeps its reason and its bytes, so that it can be sent again, and never harms another.
// What only a broken line or a restarting server ended goes on by itself. What the server has taken leaves for Files.
import type { StoredFile } from '#lib/shared/files.ts';
import { ApiError } from './api.ts';
import { backoffMs } from './backoff.ts';
import type { Chosen } from './drop.ts';
import type { Check } from './known.ts';
import { ending, refusalBeforeSending, type Send } from './upload.ts';

const atOnce = 3;
/** Being looked for among the known ones. */
const checkedAtOnce = 100;

export type Place = { batchAt: number; index: number };

export class Upload {
	readonly key: string;
	readonly file: File;
	readonly place: Place;
	/** The newest file of the list when this was added: what the stream announces later may be this very one. */
	readonly addedAfter: string;
	readonly folder: string;
	/**
	 * sent: every byte has left, the answer has not come · stalled: goes on by itself · known: the person has these bytes
	 * already, and says what to do.
	 */
	state = $state<'waiting' | 'checking' | 'sending' | 'sent' | 'paused' | 'stalled' | 'known' | 'failed'>(
		'waiting'
	);
	sentBytes = $state(0);
	secondsLeft = $state<number | null>(null);
	error = $state.raw<ApiError>();
	known = $state.raw<StoredFile>();
	isChecked = false;
	sha256: string | undefined;
	/** Attempts since something last arrived. */
	attempts = 0;
	/** When and where this attempt began to move. */
	begun: { at: number; bytes: number } | undefined;
	aborter = new AbortController();

	constructor(key: string, file: File, place: Place, addedAfter: string, folder = '') {
		this.key = key;
		this.file = file;
		this.place = place;
		this.addedAfter = addedAfter;
		this.folder = folder;
	}

	get share(): number {
		return this.file.size === 0 ? 0 : this.sentBytes / this.file.size;
	}
}

export type UploadsOptions = {
	send: Send;
	maxFileBytes: number;
	/** `created_at` of the newest file known, or ''. */
	newest: () => string;
	onStored: (file: StoredFile) => void;
	/** Before anything is sent. */
	check?: Check;
	/** Nothing of an attempt that was ended stays on the server. */
	beginsAgain?: (file: File) => boolean;
	/** Whether an attempt whose answer was lost had arrived after all. */
	findArrived?: (upload: Upload) => Promise<StoredFile | undefined>;
	/** Some of it may be on the server, and nobody is sending the rest. */
	onAbandoned?: (upload: Upload) => void;
	now?: () => number;
	random?: () => number;
};

export class Uploads {
	#list = $state.raw<readonly Upload[]>([]);
	/** Where a file of this page's own uploads stands, by the server's id: its row stays where it was. */
	readonly placed = new Map<string, { key: string; place: Place }>();
	readonly #options: UploadsOptions;
	readonly #now: () => number;
	#counter = 0;
	#underWay = $state.raw<readonly Upload[]>([]);
	#checking = 0;
	#sending = 0;
	#toCheck: Upload[] = [];
	#toSend: Upload[] = [];

	constructor(options: UploadsOptions) {
		this.#options = options;
		this.#now = options.now ?? Date.now;
	}

	get list(): readonly Upload[] {
		return this.#list;
	}

	/** At most three, and those that the line has stopped. */
	get underWay(): readonly Upload[] {
		return this.#underWay;
	}

	get isBusy(): boolean {
		return this.#underWay.length > 0;
	}

	/** Those that wait for a word of the person, since the bytes are there already. */
	readonly known: readonly Upload[] = $derived(this.#list.filter(({ state }) => state === 'known'));

	add(chosen: Iterable<Chosen>): void {
		const addedAfter = this.#options.newest();
		// The server's clock may be ahead of ours: a new batch still stands above what is there.
		const batchAt = Math.max(this.#now(), (Date.parse(addedAfter) || 0) + 1);
		const added = Array.from(chosen, ({ file, folder }, index) => {
			const key = `upload-${++this.#counter}`;
			const upload = new Upload(key, file, { batchAt, index }, addedAfter, folder);
			const refused = refusalBeforeSending(file, this.#options.maxFileBytes);
			if (refused) fail(upload, refused);
			else (this.#options.check ? this.#toCheck : this.#toSend).push(upload);
			return upload;
		});
		this.#list = [...added, ...this.#list];
		this.#pump();
	}

	retry(upload: Upload): void {
		const { key, file, place, addedAfter, folder } = upload;
		const again = new Upload(key, file, place, addedAfter, folder);
		again.sha256 = upload.sha256;
		again.isChecked = true;
		this.#list = this.#list.map((one) => (one === upload ? again : one));
		this.#toSend.push(again);
		this.#pump();
	}

	/** Stops a running upload, forgets a failed one. */
	remove(...gone: readonly Upload[]): void {
		const all = new Set(gone);
		this.#list = this.#list.filter((one) => !all.has(one));
		this.#underWay = this.#underWay.filter((one) => !all.has(one));
		for (const upload of gone) {
			const isRunning = upload.state === 'sending' || upload.state === 'sent';
			if (!isRunning && upload.sentBytes > 0) this.#options.onAbandoned?.(upload);
			upload.aborter.abort(ending.cancelled);
		}
	}

	pause(upload: Upload): void {
		if (!canPause(upload)) return;
		upload.state = 'paused';
		this.#keepWhatStays(upload);
		upload.aborter.abort(ending.paused);
		upload.aborter = new AbortController();
		this.#underWay = this.#underWay.filter((one) => one !== upload);
	}

	/** Goes on where it was; also a stalled one, at once. */
	resume(upload: Upload): void {
		if (upload.state !== 'paused' && upload.state !== 'stalled') return;
		upload.state = upload.known ? 'known' : 'waiting';
		const isReady = upload.isChecked || !this.#options.check;
		(isReady ? this.#toSend : this.#toCheck).unshift(upload);
		this.#pump();
	}

	/** The line is there again. */
	wake(): void {
		for (const upload of this.#list) if (upload.state === 'stalled') this.resume(upload);
	}

	/** A second entry of what is there already. */
	keep(...uploads: readonly Upload[]): void {
		for (const upload of uploads) {
			upload.known = undefined;
			upload.state = 'waiting';
			this.#toSend.push(upload);
		}
		this.#pump();
	}

	#pump(): void {
		while (this.#checking < checkedAtOnce) {
			const upload = this.#next(this.#toCheck);
			if (!upload) break;
			void this.#check(upload);
		}
		while (this.#sending < atOnce) {
			const upload = this.#next(this.#toSend);
			if (!upload) break;
			void this.#run(upload);
		}
	}

	/** Those that were paused or removed meanwhile have lost their turn. */
	#next(queue: Upload[]): Upload | undefined {
		const isHere = ({ isChecked }: Upload) => queue === this.#toSend || !isChecked;
		for (let upload = queue.shift(); upload; upload = queue.shift())
			if (upload.state === 'waiting' && !upload.aborter.signal.aborted && isHere(upload)) return upload;
		return undefined;
	}

	async #check(upload: Upload): Promise<void> {
		this.#checking += 1;
		upload.state = 'checking';
		const found = await this.#options.check?.(upload.file);
		this.#checking -= 1;
		upload.sha256 = found?.sha256;
		upload.known = found?.known;
		upload.isChecked = true;
		if (upload.state === 'checking') {
			upload.state = found?.known ? 'known' : 'waiting';
			if (!found?.known) this.#toSend.push(upload);
		}
		this.#pump();
	}

	async #run(upload: Upload): Promise<void> {
		this.#sending += 1;
		if (!this.#underWay.includes(upload)) this.#underWay = [...this.#underWay, upload];
		upload.state = 'sending';
		upload.begun = undefined;
		const { signal } = upload.aborter;
		try {
			this.#stored(upload, await this.#sendOrFind(upload, signal));
		} catch (error) {
			if (!signal.aborted) this.#end(upload, asApiError(error));
		} finally {
			this.#sending -= 1;
			this.#pump();
		}
	}

	async #sendOrFind(upload: Upload, signal: AbortSignal): Promise<StoredFile> {
		if (upload.attempts > 0) {
			await checkReadable(upload.file);
			const arrived = await this.#options.findArrived?.(upload);
			signal.throwIfAborted();
			if (arrived) return arrived;
		}
		return this.#options.send(upload.file, {
			signal,
			onSent: (bytes) => this.#sent(upload, bytes),
			folder: upload.folder,
			sha256: upload.sha256
		});
	}

	#stored(upload: Upload, stored: StoredFile): void {
		this.placed.set(stored.id, { key: upload.key, place: upload.place });
		this.#options.onStored(stored);
		this.#list = this.#list.filter((one) => one !== upload);
		this.#underWay = this.#underWay.filter((one) => one !== upload);
	}

	#end(upload: Upload, error: ApiError): void {
		if (isPassing(error)) {
			upload.state = 'stalled';
			upload.error = error;
			this.#keepWhatStays(upload);
			const ms = backoffMs(upload.attempts++, (this.#options.random ?? Math.random)());
			setTimeout(() => upload.state === 'stalled' && this.resume(upload), ms);
			return;
		}
		fail(upload, error);
		this.#underWay = this.#underWay.filter((one) => one !== upload);
	}

	/** A bar that stood where the file is not would lie. */
	#keepWhatStays(upload: Upload): void {
		if (this.#options.beginsAgain?.(upload.file)) upload.sentBytes = 0;
	}

	#sent(upload: Upload, bytes: number): void {
		if (upload.state !== 'sending') return;
		const now = this.#now();
		upload.begun ??= { at: now, bytes };
		if (bytes > upload.sentBytes && !this.#options.beginsAgain?.(upload.file)) upload.attempts = 0;
		upload.sentBytes = Math.max(upload.sentBytes, bytes);
		if (upload.sentBytes >= upload.file.size) upload.state = 'sent';
		const seconds = (now - upload.begun.at) / 1000;
		const moved = bytes - upload.begun.bytes;
		// An estimate from less than a second says more about buffers than about the line.
		upload.secondsLeft = seconds < 1 || moved <= 0 ? null : (seconds * (upload.file.size - bytes)) / moved;
	}
}

export function canPause({ state }: Upload): boolean {
	return state === 'waiting' || state === 'checking' || state === 'sending' || state === 'stalled';
}

/** The line is broken, the server restarts, or an earlier request of ours is still being ended there. */
function isPassing({ status, code }: ApiError): boolean {
	return (
		code === 'network.unreachable' ||
		[423, 502, 503, 504].includes(status) ||
		code === 'upload.interrupted' ||
		code === 'upload.offset_conflict'
	);
}

/** A file that was changed or removed looks like a broken line to a browser that sends it. */
async function checkReadable(file: File): Promise<void> {
	try {
		await file.slice(0, 1).arrayBuffer();
	} catch (cause) {
		throw new ApiError({ code: 'file.unreadable', message: 'The file has changed, or is gone.' }, 0, cause);
	}
}

function fail(upload: Upload, error: ApiError): void {
	upload.error = error;
	upload.state = 'failed';
}

function asApiError(error: unknown): ApiError {
	if (error instanceof ApiError) return error;
	return new ApiError(
		{ code: 'server.unexpected', message: 'The answer of the server could not be read.' },
		0,
		error
	);
}
