// The files that this page is sending. Three at a time, each alone: one that fails keeps its reason and its bytes, so
// that it can be sent again, and never harms another. What the server has taken leaves this list for Files.
import type { StoredFile } from '#lib/shared/files.ts';
import { ApiError } from './api.ts';
import { refusalBeforeSending, type Send } from './upload.ts';

const atOnce = 3;

export type Place = { batchAt: number; index: number };

export class Upload {
	readonly key: string;
	readonly file: File;
	readonly place: Place;
	/** The newest file of the list when this was added: what the stream announces later may be this very one. */
	readonly addedAfter: string;
	/** sent: every byte has left, the answer has not come. */
	state = $state<'waiting' | 'sending' | 'sent' | 'failed'>('waiting');
	sentBytes = $state(0);
	secondsLeft = $state<number | null>(null);
	error = $state.raw<ApiError>();
	startedAt = 0;
	readonly aborter = new AbortController();

	constructor(key: string, file: File, place: Place, addedAfter: string) {
		this.key = key;
		this.file = file;
		this.place = place;
		this.addedAfter = addedAfter;
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
	now?: () => number;
};

export class Uploads {
	#list = $state.raw<readonly Upload[]>([]);
	/** Where a file of this page's own uploads stands, by the server's id: its row stays where it was. */
	readonly placed = new Map<string, { key: string; place: Place }>();
	readonly #options: UploadsOptions;
	readonly #now: () => number;
	#counter = 0;
	#underWay = $state.raw<readonly Upload[]>([]);

	constructor(options: UploadsOptions) {
		this.#options = options;
		this.#now = options.now ?? Date.now;
	}

	get list(): readonly Upload[] {
		return this.#list;
	}

	/** At most three. */
	get underWay(): readonly Upload[] {
		return this.#underWay;
	}

	get isBusy(): boolean {
		return this.#underWay.length > 0;
	}

	add(files: Iterable<File>): void {
		const addedAfter = this.#options.newest();
		// The server's clock may be ahead of ours: a new batch still stands above what is there.
		const batchAt = Math.max(this.#now(), (Date.parse(addedAfter) || 0) + 1);
		const added = Array.from(files, (file, index) => {
			const upload = new Upload(`upload-${++this.#counter}`, file, { batchAt, index }, addedAfter);
			const refused = refusalBeforeSending(file, this.#options.maxFileBytes);
			if (refused) fail(upload, refused);
			return upload;
		});
		this.#list = [...added, ...this.#list];
		this.#pump();
	}

	retry(upload: Upload): void {
		const { key, file, place, addedAfter } = upload;
		const again = new Upload(key, file, place, addedAfter);
		this.#list = this.#list.map((one) => (one === upload ? again : one));
		this.#pump();
	}

	/** Stops a running upload, forgets a failed one. */
	remove(upload: Upload): void {
		upload.aborter.abort();
		this.#list = this.#list.filter((one) => one !== upload);
	}

	#pump(): void {
		for (const upload of this.#list) {
			if (this.#underWay.length >= atOnce) return;
			if (upload.state === 'waiting') void this.#run(upload);
		}
	}

	async #run(upload: Upload): Promise<void> {
		this.#underWay = [...this.#underWay, upload];
		upload.state = 'sending';
		upload.startedAt = this.#now();
		try {
			const stored = await this.#options.send(upload.file, {
				signal: upload.aborter.signal,
				onSent: (bytes) => this.#sent(upload, bytes)
			});
			this.placed.set(stored.id, { key: upload.key, place: upload.place });
			this.#options.onStored(stored);
			this.#list = this.#list.filter((one) => one !== upload);
		} catch (error) {
			if (!upload.aborter.signal.aborted) fail(upload, asApiError(error));
		} finally {
			this.#underWay = this.#underWay.filter((one) => one !== upload);
			this.#pump();
		}
	}

	#sent(upload: Upload, bytes: number): void {
		upload.sentBytes = Math.max(upload.sentBytes, bytes);
		if (upload.sentBytes >= upload.file.size) upload.state = 'sent';
		const seconds = (this.#now() - upload.startedAt) / 1000;
		// An estimate from less than a second says more about buffers than about the line.
		upload.secondsLeft = seconds < 1 || bytes === 0 ? null : (seconds * (upload.file.size - bytes)) / bytes;
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
