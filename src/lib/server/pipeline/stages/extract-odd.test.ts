// Files that no program should write and some do: each is read, or fails with its own code.
import { expect, test } from 'vitest';
import { makePdf } from '../../../../../tests/support/make-files.ts';
import { makeDocx, makePptx } from '../../../../../tests/support/make-office.ts';
import { textOf, useStages } from '../../../../../tests/support/stage-input.ts';
import { writePdfObjects } from '../../../../../tests/support/write-pdf.ts';

const { read } = useStages(1);
const openXml = 'application/vnd.openxmlformats-officedocument';
const pdf = 'application/pdf';
const docx = `${openXml}.wordprocessingml.document`;
const pptx = `${openXml}.presentationml.presentation`;
const mail = 'message/rfc822';

const words = '<< /Length 43 >>\nstream\nBT /F1 12 Tf 50 700 Td (needle words) Tj ET\nendstream';
const font = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
const page = (parent: number, box = '[0 0 595 842]') =>
	`<< /Type /Page /Parent ${parent} 0 R /MediaBox ${box} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>`;
/** One page of words; what is given replaces its catalog, its tree or the page. */
const onePage = ({ catalog = '', tree = '/Kids [3 0 R] /Count 1', box = '[0 0 595 842]' }) =>
	writePdfObjects([
		`<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
		`<< /Type /Pages ${tree} >>`,
		page(2, box),
		words,
		font
	]);

function deepTree(levels: number): Buffer {
	const nodes = Array.from(
		{ length: levels },
		(_, i) => `<< /Type /Pages /Kids [${i === levels - 1 ? 3 : 7 + i} 0 R] /Count 1 >>`
	);
	return writePdfObjects([
		'<< /Type /Catalog /Pages 6 0 R >>',
		'<< >>',
		page(5 + levels),
		words,
		font,
		...nodes
	]);
}

function letter(contentType: string, body: string): Buffer {
	const head = 'From: ada@example.org\r\nSubject: odd\r\nMIME-Version: 1.0\r\n';
	return Buffer.from(`${head}Content-Type: ${contentType}\r\n\r\n${body}`, 'latin1');
}

function nestedLetter(levels: number): Buffer {
	let body = 'Content-Type: text/plain\r\n\r\nneedle words\r\n';
	for (let i = 0; i < levels; i++)
		body = `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n${body}\r\n--b${i}--\r\n`;
	return Buffer.from(`From: ada@example.org\r\nSubject: odd\r\nMIME-Version: 1.0\r\n${body}`);
}

const deepTable = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${'<w:tbl><w:tr><w:tc>'.repeat(20_000)}<w:p/>${'</w:tc></w:tr></w:tbl>'.repeat(20_000)}</w:body></w:document>`;
const picture = `<img src="data:image/png;base64,${'A'.repeat(10_000_000)}">`;

test.each<[string, string, Buffer, { text: string } | { code: string }]>([
	['a PDF of no pages', pdf, makePdf([]), { code: 'file.damaged' }],
	[
		'a PDF whose tree holds itself',
		pdf,
		onePage({ tree: '/Kids [2 0 R] /Count 1' }),
		{ code: 'file.damaged' }
	],
	['a PDF with a tree of 5,000 levels', pdf, deepTree(5_000), { text: 'needle words' }],
	[
		'a PDF that claims pages',
		pdf,
		onePage({ tree: '/Kids [3 0 R] /Count 900000' }),
		{ text: 'needle words' }
	],
	['a PDF a billion points wide', pdf, onePage({ box: '[0 0 1e9 1000000000]' }), { text: 'needle words' }],
	['a PDF of no size', pdf, onePage({ box: '[0 0 0 0]' }), { text: 'needle words' }],
	[
		'a PDF with a script',
		pdf,
		onePage({ catalog: '/OpenAction << /S /JavaScript /JS (while\\(true\\);) >>' }),
		{ text: 'needle words' }
	],
	[
		'tables in tables',
		docx,
		makeDocx([], [{ name: 'word/document.xml', content: deepTable }]),
		{ code: 'file.damaged' }
	],
	['a show of no slides', pptx, makePptx([]), { text: '' }],
	['a letter in letters', mail, nestedLetter(100), { text: 'needle words' }],
	['a letter in too many letters', mail, nestedLetter(5_000), { code: 'file.damaged' }],
	[
		'a letter in KOI8-R',
		mail,
		letter('text/plain; charset=koi8-r', '\xf0\xd2\xc9\xd7\xc5\xd4'),
		{ text: 'Привет' }
	],
	[
		'a letter in no known encoding',
		mail,
		letter('text/plain; charset=x-none', 'needle words'),
		{ text: 'needle words' }
	],
	[
		'a text that says UTF-8 and is not, everywhere',
		'text/plain',
		Buffer.concat([Buffer.from('\ufeffÉlan vital'), Buffer.from(' \xe9 vite', 'latin1')]),
		{ text: 'Élan vital \ufffd vite' }
	],
	[
		'a page with a picture inside',
		'text/html',
		Buffer.from(`${picture}<p>needle words</p>`),
		{ text: 'needle words' }
	],
	[
		'XML that asks for a file',
		'application/xml',
		Buffer.from(
			'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>needle words &x;</a>'
		),
		{ text: 'needle words &x;' }
	]
])('%s', async (_, type, bytes, expected) => {
	const outcome = await read(bytes, type).then(
		(pages) => ({ text: textOf(pages) }),
		({ code }: { code: string }) => ({ code })
	);
	if ('code' in expected) expect(outcome).toEqual(expected);
	else expect('text' in outcome && outcome.text, JSON.stringify(outcome)).toContain(expected.text);
});
