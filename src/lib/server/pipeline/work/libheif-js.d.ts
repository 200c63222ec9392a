// What we use of it; the package's own types stand at no place where they would be found.
declare module 'libheif-js/wasm-bundle.js' {
	type Pixels = { data: Uint8ClampedArray; width: number; height: number };
	type Image = {
		is_primary(): boolean;
		get_width(): number;
		get_height(): number;
		/** Is told nothing when it cannot be decoded. */
		display(target: Pixels, done: (shown: Pixels | null) => void): void;
		free(): void;
	};
	const libheif: { HeifDecoder: new () => { decode(bytes: Uint8Array): Image[] } };
	export default libheif;
}
