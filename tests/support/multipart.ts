// A multipart body byte by byte, so that a test can also send a wrong one.
export const boundary = 'asura-test-boundary';
export const multipartType = `multipart/form-data; boundary=${boundary}`;

export type Part = { name?: string; filename?: string; type?: string; content: string | Buffer };

export function partHead({ name = 'file', filename, type }: Omit<Part, 'content'>): string {
	const disposition = filename === undefined ? '' : `; filename="${filename}"`;
	const contentType = type === undefined ? '' : `\r\nContent-Type: ${type}`;
	return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${disposition}${contentType}\r\n\r\n`;
}

export const multipartEnd = `--${boundary}--\r\n`;

export function multipartBody(parts: Part[]): Buffer {
	const pieces = parts.flatMap((part) => [partHead(part), part.content, '\r\n']);
	return Buffer.concat([...pieces, multipartEnd].map((piece) => Buffer.from(piece)));
}
