// The composition root of the browser: everything the page's components share, made once per page and handed down by
// context. Nothing of it lives in a module, where it would leak between people during server rendering.
import { createContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import * as v from 'valibot';
import type { FileDetails } from '#lib/shared/api.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { type Action, actionsFor, needsPassword } from './actions.ts';
import type { NamedEvent, StreamMessage } from '#lib/shared/events.ts';
import { NoticeData } from '#lib/shared/named-events.ts';
import { type Api, ApiError, createApi, type ManyAction } from './api.ts';
import { Deletions } from './deletions.svelte.ts';
import { Files } from './files.svelte.ts';
import { Notices } from './notices.svelte.ts';
import { type Row, rowsOf } from './rows.ts';
import { type Summary, summaryOf } from './summary.ts';
import { Theme } from './theme.svelte.ts';
import { createCheck, createHash } from './known.ts';
import { createSendResumable } from './send-resumable.ts';
import { fingerprintOf, type Unfinished, UnfinishedUploads } from './unfinished.svelte.ts';
import { bySize, createSendMultipart, isSentAtOnce } from './upload.ts';
import { type Upload, Uploads } from './uploads.svelte.ts';
import { count, wordToTry } from './words.ts';

export const [getWorkbench, setWorkbench] = createContext<Workbench>();

export type WorkbenchOptions = {
	scope: string;
	maxFileBytes: number;
	/** The desk's own, when this is a project on it. */
	notices?: Notices;
	project?: string;
};

export class Workbench {
	readonly api: Api = createApi((url, init) => fetch(url, init));
	readonly notices: Notices;
	/** The project that is on the page: what is dropped goes there. */
	project = $state.raw<Workbench>();
	/** Projects with an open page, and those whose page was left while something was still to be sent. */
	readonly projects = new Map<string, Workbench>();
	/** Pages that show it. */
	pages = 0;
	/** Whoever looks hears each message of the stream. */
	onMessage: ((message: StreamMessage) => void) | undefined;
	readonly #projectId: string | undefined;
	/** False: the person may look, and nothing else. */
	canWrite = $state(true);
	readonly theme = new Theme();
	readonly files: Files;
	readonly uploads: Uploads;
	readonly unfinished: UnfinishedUploads;
	readonly deletions: Deletions;
	readonly maxFileBytes: number;
	/** Where a form sends files without JavaScript. */
	readonly uploadForm: string;
	/** For relative dates; moves twice a minute. */
	now = $state(Date.now());
	/** The file whose password is being asked for. */
	locked = $state.raw<StoredFile>();
	/** Of protected PDFs, to draw their pages here; gone with the window. */
	readonly passwords = new SvelteMap<string, string>();
	/** A word from the first file that ended here, to try the search with. */
	word = $state<string>();
	#hasOffered = false;
	readonly rows: readonly Row[] = $derived.by(() =>
		rowsOf({
			uploads: this.uploads.list,
			underWay: this.uploads.underWay,
			files: this.files.list,
			placed: this.uploads.placed,
			isHidden: this.deletions.isHidden
		})
	);
	readonly summary: Summary = $derived(summaryOf(this.rows));

	constructor({ scope, maxFileBytes, notices = new Notices(), project }: WorkbenchOptions) {
		this.#projectId = project;
		this.maxFileBytes = maxFileBytes;
		this.uploadForm = project === undefined ? '/?/upload' : `/projects/${project}?/upload`;
		this.notices = notices;
		// Notifications come by the person's own stream.
		const onEvent = project === undefined ? (event: NamedEvent) => this.#showEvent(event) : undefined;
		const onMessage = (message: StreamMessage) => this.onMessage?.(message);
		this.files = new Files({ scope, project, onMessage, ...(onEvent && { onEvent }) });
		const place = project === undefined ? scope : `${scope}.${project}`;
		const unfinished = new UnfinishedUploads({ scope: place, ...browserMemory() });
		this.unfinished = unfinished;
		const fileOf = (id: string) => this.api.file(id);
		this.uploads = new Uploads({
			send: bySize(createSendMultipart(project), createSendResumable({ unfinished, fileOf, project })),
			maxFileBytes,
			beginsAgain: isSentAtOnce,
			newest: () => this.files.list[0]?.created_at ?? '',
			onStored: (file) => this.take(file),
			check: createCheck({ hash: createHash(), ask: (hashes) => this.api.known(hashes, project) }),
			findArrived: (upload) => this.#findArrived(upload),
			onAbandoned: ({ file, folder }) => {
				const begun = this.unfinished.find(fingerprintOf(file, folder));
				if (begun) void this.forget(begun);
			}
		});
		this.deletions = new Deletions({
			remove: (ids) => this.api.remove(ids),
			onFailed: (name, error) => this.notices.failed(`${name} could not be deleted.`, error)
		});
	}

	/** What the server rendered, so that the first paint has rows; the stream's own snapshot takes over. */
	seed(files: readonly StoredFile[], isAll: boolean): void {
		if (this.files.isLoaded) return;
		this.files.apply({ eventType: 'snapshot', timestamp: '', files: [...files], last: isAll });
	}

	/** A file as an answer of the API tells it; the stream need not be waited for. */
	take(file: StoredFile): void {
		this.files.apply({ eventType: 'file-update', timestamp: '', file });
	}

	actionsFor(file: StoredFile): Action[] {
		return this.canWrite ? actionsFor(file) : ['download'];
	}

	async perform(action: Exclude<Action, 'download'>, file: StoredFile): Promise<void> {
		if (action === 'delete') return this.deletions.ask(file);
		if (action === 'retry' && needsPassword(file)) {
			this.locked = file;
			return;
		}
		await this[action](file);
	}

	async retry(file: StoredFile, password?: string): Promise<void> {
		if (password !== undefined) this.passwords.set(file.id, password);
		await this.#act(`${file.filename} could not be retried.`, () => this.api.retry(file.id, { password }));
	}

	async again({ id, filename }: StoredFile): Promise<void> {
		const again = () => this.api.retry(id, { again: true });
		await this.#act(`${filename} could not be processed again.`, again, `${filename} is processed again.`);
	}

	async next({ id, filename }: StoredFile): Promise<void> {
		const next = () => this.api.next(id);
		await this.#act(`${filename} could not be put first.`, next, `${filename} is processed next.`);
	}

	async cancel({ id, filename }: StoredFile): Promise<void> {
		await this.#act(`${filename} could not be cancelled.`, () => this.api.cancel(id));
	}

	/** The same for all of these; what refuses is counted, and keeps nothing else back. */
	async performOnAll(action: ManyAction, files: readonly StoredFile[]): Promise<void> {
		if (action === 'delete') return this.deletions.ask(...files);
		try {
			const { files: done, errors } = await this.api.many(
				action,
				files.map(({ id }) => id)
			);
			for (const file of done) this.take(file);
			this.notices.say(
				`${count(done.length, 'file')} ${action === 'retry' ? 'processed again' : 'cancelled'}.`
			);
			const [first] = errors;
			if (first) this.notices.show(`${count(errors.length, 'file')} could not be changed. ${first.message}`);
		} catch (error) {
			this.notices.failed(`The files could not be ${action === 'retry' ? 'retried' : 'cancelled'}.`, error);
		}
	}

	/** The rows follow from the stream: there may be thousands. */
	async retryFailed(): Promise<void> {
		try {
			const { length } = await this.api.retryFailed();
			this.notices.say(`${count(length, 'file')} ${length === 1 ? 'is' : 'are'} processed again.`);
		} catch (error) {
			this.notices.failed('The failed files could not be retried.', error);
		}
	}

	/** What processing took. */
	async detailsOf({ id, filename }: StoredFile): Promise<FileDetails | undefined> {
		try {
			return await this.api.details(id);
		} catch (error) {
			this.notices.failed(`What ${filename} took could not be fetched.`, error);
			return undefined;
		}
	}

	/** The three files of ours, sent like any other. */
	async trySamples(urls: readonly string[]): Promise<void> {
		try {
			const files = await Promise.all(urls.map((url) => this.api.sample(url)));
			this.uploads.add(files.map((file) => ({ file, folder: '' })));
		} catch (error) {
			this.notices.failed('The sample files could not be fetched.', error);
		}
	}

	/** The answer to an upload was lost: the file may be there all the same. */
	async #findArrived({ sha256, file, folder, addedAfter }: Upload): Promise<StoredFile | undefined> {
		if (sha256 === undefined) return undefined;
		const [found] = await this.api.known([sha256], this.#projectId);
		const isIt = found?.filename === file.name && found.folder === folder && found.created_at > addedAfter;
		return isIt ? found : undefined;
	}

	/** What the browser began to send some other time will not go on. */
	async forget({ url, name }: Unfinished): Promise<void> {
		this.unfinished.remove(url);
		try {
			await this.api.forgetUpload(url);
		} catch (error) {
			// Gone already is what was wanted.
			if (!(error instanceof ApiError && error.code === 'upload.not_found'))
				this.notices.failed(`What had arrived of ${name} is removed within a day.`, error);
		}
	}

	/** Offers a word to search for, once, taken from the text of the first file that can be found. */
	async offerWord(file: StoredFile): Promise<void> {
		if (this.#hasOffered) return;
		this.#hasOffered = true;
		try {
			const { text } = await this.api.text(file.id, { maxBytes: 4096 });
			this.word = wordToTry(text);
		} catch {
			// A file without text offers none; the next one may.
			this.#hasOffered = false;
		}
	}

	/** A notification or an alert from the server; what is not written for a page is not shown. */
	#showEvent({ data }: NamedEvent): void {
		const notice = v.safeParse(NoticeData, data);
		if (!notice.success) return;
		const { title, message } = notice.output;
		this.notices.show(message ? `${title}: ${message}` : title);
	}

	async #act(failure: string, action: () => Promise<StoredFile>, success?: string): Promise<void> {
		try {
			this.take(await action());
			if (success) this.notices.say(success);
		} catch (error) {
			this.notices.failed(failure, error);
		}
	}
}

/** Nothing of it on the server, where pages are rendered. */
function browserMemory() {
	if (typeof window === 'undefined') return { storage: undefined, locks: undefined };
	return { storage: window.localStorage, locks: 'locks' in navigator ? navigator.locks : undefined };
}
