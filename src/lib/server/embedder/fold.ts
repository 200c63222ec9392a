// How texts are compared: without case, without marks (café = cafe), in one form of each letter.

export function foldText(text: string): string {
	return text
		.normalize('NFKD')
		.replace(/\p{M}+/gu, '')
		.toLowerCase();
}
