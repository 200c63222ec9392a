// What every byte of an upload passes on its way to the blob store: it is counted against the limit, hashed, and the
// first ones decide what the file is. The stream fails as soon as it is clear that the file will not be kept.
import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { type AppError, problem } from '../errors.ts';
import type { Look } from '../room.ts';
import { utf16Of } from '../utf16.ts';
import { type AlsoTakes, detectType, isText, sampleBytes } from './type.ts';

export type Limit = { bytes: number; code: 'upload.too_large' | 'upload.quota_exceeded' };

export class Inspector extends Transform {
	sizeBytes = 0;
	fileType = '';
	readonly #hash = createHash('sha256');
	readonly #filename: string;
	readonly #limit: Limit;
	readonly #look: Look;
	readonly #alsoTakes: AlsoTakes | undefined;
	/** What has arrived while the type is not known; `undefined` afterwards. */
	#sample: Buffer[] | undefined = [];
	#refusesZeros = false;

	constructor(filename: string, limit: Limit, look: Look, alsoTakes?: AlsoTakes) {
		super();
		this.#filename = filename;
		this.#limit = limit;
		this.#look = look;
		this.#alsoTakes = alsoTakes;
	}

	/** Once, when the stream has ended. */
	sha256(): string {
		return this.#hash.digest('hex');
	}

	override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
		this.#look(chunk.length).then(() => this.#take(chunk, done), done);
	}

	#take(chunk: Buffer, done: TransformCallback): void {
		this.sizeBytes += chunk.length;
		if (this.sizeBytes > this.#limit.bytes) return done(problem(this.#limit.code));
		this.#hash.update(chunk);
		if (!this.#sample) return done(this.#checkText(chunk), chunk);
		this.#sample.push(chunk);
		if (this.sizeBytes < sampleBytes) return done();
		this.#decide(false, done);
	}

	override _flush(done: TransformCallback): void {
		if (this.sizeBytes === 0) return done(problem('upload.empty'));
		if (!this.#sample) return done();
		this.#decide(true, done);
	}

	#decide(isWhole: boolean, done: TransformCallback): void {
		const bytes = Buffer.concat(this.#sample ?? []);
		detectType({ bytes, isWhole, filename: this.#filename }, this.#alsoTakes)
			.then((type) => {
				if (type === undefined) throw problem('file.unsupported_type');
				this.fileType = type;
				this.#refusesZeros = isText(type) && !utf16Of(bytes);
				this.#sample = undefined;
			})
			.then(() => done(null, bytes), done);
	}

	/** A long file that begins like text and goes on like something else. */
	#checkText(chunk: Buffer): AppError | null {
		return this.#refusesZeros && chunk.includes(0) ? problem('file.unsupported_type') : null;
	}
}
