// How a file's bytes may be served.
import path from 'node:path';

/** Types that a browser may show; whatever can carry a script is not among them. */
const pictures = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'];
const texts = ['text/plain', 'text/markdown', 'text/csv', 'application/json'];

export function inlineTypeOf(type: string): string | undefined {
	if (pictures.includes(type) || type === 'application/pdf') return type;
	return texts.includes(type) ? 'text/plain; charset=utf-8' : undefined;
}

const endings: Record<string, string> = {
	'image/webp': '.webp',
	'image/jpeg': '.jpg',
	'image/png': '.png',
	'image/gif': '.gif',
	'image/avif': '.avif',
	'text/plain': '.txt',
	'application/pdf': '.pdf'
};

/** "report.pdf" → "report.txt" for its text; "notes.txt" → "notes.txt.zst" when it is packed. */
export function nameOfVariant(filename: string, variant: string, type: string): string {
	if (variant === 'original') return filename;
	if (type === 'application/zstd') return `${filename}.zst`;
	const { name, ext } = path.parse(filename);
	return name + (endings[type] ?? ext);
}

/** RFC 6266: a plain name for old readers, and the real one. */
export function dispositionOf(how: 'attachment' | 'inline', filename: string): string {
	const plain = filename
		.normalize('NFKD')
		.replace(/\p{M}/gu, '')
		.replace(/[^\x20-\x7e]|["\\%]/g, '_');
	const real = encodeURIComponent(filename.toWellFormed()).replace(
		/['()*]/g,
		(char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
	);
	return `${how}; filename="${plain}"; filename*=UTF-8''${real}`;
}
