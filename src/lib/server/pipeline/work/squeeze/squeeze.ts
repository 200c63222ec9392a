import type { Compressed, Tick } from '../../stage.ts';

export type SqueezeInput = {
	path: string;
	sizeBytes: number;
	fileType: string;
	scratchDir: string;
	password: string | undefined;
	tick(tick: Tick): void;
	/** A step without a number is done. */
	alive(): void;
};

/** Writes into `scratchDir` and leaves only what it returns there. */
export type Squeeze = (input: SqueezeInput) => Promise<Compressed>;
