// Text in UTF-16, the only text in which zero bytes are at home.

/** Beyond the alphabets of Europe and the Near East nothing tells it from something else without its mark. */
const lastHighByte = 0x06;
const mostly = 0.9;

/** By its mark, or by the half of its bytes that hardly ever changes. */
export function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
	if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
	if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
	const pairs = Math.floor(bytes.length / 2);
	const isHigh = (from: number): boolean => {
		let low = 0;
		for (let i = from; i < pairs * 2; i += 2) if ((bytes[i] ?? 0) <= lastHighByte) low++;
		return pairs > 0 && low >= pairs * mostly;
	};
	const [even, odd] = [isHigh(0), isHigh(1)];
	// Zeros in both halves are no text.
	if (even === odd) return undefined;
	return odd ? 'utf-16le' : 'utf-16be';
}
