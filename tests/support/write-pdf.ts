// A PDF writer for tests, after ISO 32000-1: catalog, page tree, one content stream per page, cross-reference table,
// and the Standard security handler (40-bit RC4) when a password is given. Not for the product: it reads nothing.
import { createHash } from 'node:crypto';

export type PdfOptions = {
	password?: string;
	title?: string;
	/** Lines that begin with `# ` are set as headings. */
	hasHeadings?: boolean;
	/** Page numbers (from 1) that cannot be read: the rest of the file stays valid. */
	brokenPages?: readonly number[];
};

type Encrypt = (objectNumber: number, bytes: Buffer) => Buffer;

const fileId = createHash('md5').update('asura test file').digest();
const padding = Buffer.from('28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A', 'hex');
const permissions = -4;
const boldFont = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>';

export function writePdf(pages: readonly string[], options: PdfOptions = {}): Buffer {
	const security = options.password === undefined ? undefined : secure(options.password);
	const encrypt: Encrypt = security?.encrypt ?? ((_number, bytes) => bytes);
	const firstPage = 6;
	const kids = pages.map((_, i) => `${firstPage + i * 2} 0 R`).join(' ');
	const objects: (string | Buffer)[] = [
		'<< /Type /Catalog /Pages 2 0 R >>',
		`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
		'<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
		`<< /Title <${encrypt(4, Buffer.from(options.title ?? 'Untitled', 'latin1')).toString('hex')}> >>`,
		security?.dictionary ?? '<< >>'
	];
	pages.forEach((text, i) => {
		const number = firstPage + i * 2 + 1;
		const isBroken = options.brokenPages?.includes(i + 1);
		objects.push(
			isBroken
				? '<< /Type /Pages /Parent 2 0 R /Count 1 /Kids [(not a page)] >>'
				: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${number} 0 R ` +
						`/Resources << /Font << /F1 3 0 R /F2 ${boldFont} >> >> >>`
		);
		objects.push(stream(encrypt(number, pageContent(text, options.hasHeadings ?? false))));
	});
	return assemble(objects, security !== undefined);
}

function pageContent(text: string, hasHeadings: boolean): Buffer {
	// As a scan looks; the number of spaces makes its pages differ.
	if (text.trim() === '') return Buffer.from(`0.9 g 60 60 400 ${600 - 100 * text.length} re f`);
	const show = (line: string) => `(${line.replace(/[\\()]/g, '\\$&')}) Tj T*`;
	const lines = text.split('\n').flatMap((line) => {
		if (hasHeadings && line.startsWith('# '))
			return [`/F2 22 Tf 30 TL ${show(line.slice(2))} /F1 11 Tf 15 TL`];
		return wrap(line, hasHeadings ? 82 : 95).map(show);
	});
	const start = hasHeadings ? '15 TL 70 760 Td' : '14 TL 50 800 Td';
	return Buffer.from(`BT /F1 11 Tf ${start}\n${lines.join('\n')}\nET`, 'latin1');
}

function wrap(line: string, width: number): string[] {
	const lines = [''];
	for (const word of line.split(' ')) {
		const last = lines.at(-1) ?? '';
		if (last !== '' && last.length + word.length >= width) lines.push(word);
		else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
	}
	return lines;
}

function stream(content: Buffer): Buffer {
	return Buffer.concat([
		Buffer.from(`<< /Length ${content.length} >>\nstream\n`),
		content,
		Buffer.from('\nendstream')
	]);
}

/** Objects as they are, from number 1; the first is the catalog. */
export function writePdfObjects(objects: readonly (string | Buffer)[]): Buffer {
	return assemble(objects, false);
}

function assemble(objects: readonly (string | Buffer)[], isEncrypted: boolean): Buffer {
	const parts: Buffer[] = [Buffer.from('%PDF-1.4\n%\xE2\xE3\xCF\xD3\n', 'latin1')];
	const offsets: number[] = [];
	let size = parts[0]?.length ?? 0;
	const push = (part: Buffer) => {
		parts.push(part);
		size += part.length;
	};
	objects.forEach((object, i) => {
		offsets.push(size);
		push(Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), Buffer.from(object), Buffer.from('\nendobj\n')]));
	});
	const start = size;
	const id = fileId.toString('hex');
	push(
		Buffer.from(
			`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n` +
				offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('') +
				`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 4 0 R /ID [<${id}> <${id}>] ` +
				`${isEncrypted ? '/Encrypt 5 0 R ' : ''}>>\nstartxref\n${start}\n%%EOF\n`
		)
	);
	return Buffer.concat(parts);
}

function secure(password: string): { dictionary: string; encrypt: Encrypt } {
	const padded = Buffer.concat([Buffer.from(password, 'latin1'), padding]).subarray(0, 32);
	const owner = rc4(md5(padded).subarray(0, 5), padded);
	const flags = Buffer.alloc(4);
	flags.writeInt32LE(permissions);
	const key = md5(padded, owner, flags, fileId).subarray(0, 5);
	const user = rc4(key, padding);
	return {
		dictionary: `<< /Filter /Standard /V 1 /R 2 /O <${owner.toString('hex')}> /U <${user.toString('hex')}> /P ${permissions} >>`,
		encrypt: (number, bytes) => {
			const salt = Buffer.from([number & 255, (number >> 8) & 255, (number >> 16) & 255, 0, 0]);
			return rc4(md5(key, salt).subarray(0, 10), bytes);
		}
	};
}

function md5(...parts: Buffer[]): Buffer {
	return createHash('md5').update(Buffer.concat(parts)).digest();
}

function rc4(key: Buffer, bytes: Buffer): Buffer {
	const s = Uint8Array.from({ length: 256 }, (_, i) => i);
	const at = (i: number) => s[i & 255] ?? 0;
	const swap = (i: number, j: number) => ([s[i], s[j]] = [at(j), at(i)]);
	for (let i = 0, j = 0; i < 256; i++) {
		j = (j + at(i) + (key[i % key.length] ?? 0)) & 255;
		swap(i, j);
	}
	let i = 0;
	let j = 0;
	return bytes.map((byte) => {
		i = (i + 1) & 255;
		j = (j + at(i)) & 255;
		swap(i, j);
		return byte ^ at(at(i) + at(j));
	}) as Buffer;
}
