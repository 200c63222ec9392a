// Small documents of the office formats, for tests: only the parts that a reader needs, as the formats prescribe them.
import { utils, write } from '@e965/xlsx';
import { makeZip, type Part } from './make-zip.ts';

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const openXml = 'http://schemas.openxmlformats.org';
const relationships = `${openXml}/package/2006/relationships`;
const officeRelations = `${openXml}/officeDocument/2006/relationships`;

export type Paragraph = string | { heading: number; text: string };

export function makeDocx(paragraphs: readonly Paragraph[], extra: readonly Part[] = []): Buffer {
	const body = paragraphs
		.map((one) => {
			const style = typeof one === 'string' ? '' : `<w:pPr><w:pStyle w:val="Heading${one.heading}"/></w:pPr>`;
			return `<w:p>${style}<w:r><w:t xml:space="preserve">${escape(typeof one === 'string' ? one : one.text)}</w:t></w:r></w:p>`;
		})
		.join('');
	const headings = [1, 2, 3]
		.map(
			(i) => `<w:style w:type="paragraph" w:styleId="Heading${i}"><w:name w:val="heading ${i}"/></w:style>`
		)
		.join('');
	const namespace = `xmlns:w="${openXml}/wordprocessingml/2006/main"`;
	const main = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
	return makeZip([
		contentTypes(`<Override PartName="/word/document.xml" ContentType="${main}"/>`),
		relations('_rels/.rels', [['rId1', `${officeRelations}/officeDocument`, 'word/document.xml']]),
		relations('word/_rels/document.xml.rels', [['rId1', `${officeRelations}/styles`, 'styles.xml']]),
		{ name: 'word/styles.xml', content: `${xml}<w:styles ${namespace}>${headings}</w:styles>` },
		{
			name: 'word/document.xml',
			content: `${xml}<w:document ${namespace}><w:body>${body}</w:body></w:document>`
		},
		...extra
	]);
}

export type Slide = { title: string; lines: string[]; notes?: string };

/** The parts are numbered against the order of the show, as they are after slides were moved. */
export function makePptx(slides: readonly Slide[]): Buffer {
	const namespaces = `xmlns:a="${openXml}/drawingml/2006/main" xmlns:p="${openXml}/presentationml/2006/main" xmlns:r="${officeRelations}"`;
	const shape = (type: string, lines: readonly string[]) =>
		`<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody>${lines.map((line) => `<a:p><a:r><a:t>${escape(line)}</a:t></a:r></a:p>`).join('')}</p:txBody></p:sp>`;
	const partNumber = (i: number) => slides.length - i;
	const parts = slides.flatMap((slide, i): Part[] => {
		const number = partNumber(i);
		const tree = `${shape('title', [slide.title])}${shape('body', slide.lines)}${shape('sldNum', [String(i + 1)])}`;
		const content = `${xml}<p:sld ${namespaces}><p:cSld><p:spTree>${tree}</p:spTree></p:cSld></p:sld>`;
		const own = { name: `ppt/slides/slide${number}.xml`, content };
		if (!slide.notes) return [own];
		return [
			own,
			relations(`ppt/slides/_rels/slide${number}.xml.rels`, [
				['rId1', `${officeRelations}/notesSlide`, `../notesSlides/notesSlide${number}.xml`]
			]),
			{
				name: `ppt/notesSlides/notesSlide${number}.xml`,
				content: `${xml}<p:notes ${namespaces}>${shape('body', [slide.notes])}</p:notes>`
			}
		];
	});
	const list = slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${i + 1}"/>`).join('');
	const main = 'application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml';
	return makeZip([
		contentTypes(`<Override PartName="/ppt/presentation.xml" ContentType="${main}"/>`),
		relations('_rels/.rels', [['rId1', `${officeRelations}/officeDocument`, 'ppt/presentation.xml']]),
		{
			name: 'ppt/presentation.xml',
			content: `${xml}<p:presentation ${namespaces}><p:sldIdLst>${list}</p:sldIdLst></p:presentation>`
		},
		relations(
			'ppt/_rels/presentation.xml.rels',
			slides.map((_, i) => [`rId${i + 1}`, `${officeRelations}/slide`, `slides/slide${partNumber(i)}.xml`])
		),
		...parts
	]);
}

export function makeSheets(
	sheets: Record<string, readonly (readonly (string | number | Date)[])[]>,
	format: 'xlsx' | 'ods' = 'xlsx'
): Buffer {
	const book = utils.book_new();
	for (const [name, rows] of Object.entries(sheets))
		utils.book_append_sheet(book, utils.aoa_to_sheet(rows.map((row) => [...row])), name);
	return Buffer.from(write(book, { type: 'buffer', bookType: format, compression: true, bookSST: true }));
}

export function makeOdf(kind: 'text' | 'presentation', body: string): Buffer {
	const names = ['office', 'text', 'draw', 'table'].map(
		(name) =>
			`xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name === 'draw' ? 'drawing' : name}:1.0"`
	);
	return makeZip([
		{ name: 'mimetype', content: `application/vnd.oasis.opendocument.${kind}`, isStored: true },
		{
			name: 'content.xml',
			content: `${xml}<office:document-content ${names.join(' ')}><office:body><office:${kind}>${body}</office:${kind}></office:body></office:document-content>`
		}
	]);
}

export function makeEpub(chapters: readonly { title: string; body: string }[]): Buffer {
	const items = chapters
		.map((_, i) => `<item id="c${i}" href="text/chapter%20${i}.xhtml" media-type="application/xhtml+xml"/>`)
		.join('');
	const spine = chapters.map((_, i) => `<itemref idref="c${i}"/>`).join('');
	return makeZip([
		{ name: 'mimetype', content: 'application/epub+zip', isStored: true },
		{
			name: 'META-INF/container.xml',
			content: `${xml}<container><rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`
		},
		{
			name: 'OPS/book.opf',
			content: `${xml}<package><manifest>${items}</manifest><spine>${spine}</spine></package>`
		},
		...chapters.map(({ title, body }, i) => ({
			name: `OPS/text/chapter ${i}.xhtml`,
			content: `${xml}<html><head><title>Book</title></head><body><h1>${title}</h1>${body}</body></html>`
		}))
	]);
}

export function makeMail(body = 'The boat comes on Thursday.'): Buffer {
	const lines = [
		'From: =?utf-8?q?Ad=C3=A8le?= <ada@example.org>',
		'To: bob@example.org',
		'Date: Thu, 20 Nov 2025 10:00:00 +0000',
		'Subject: Supply boat',
		'MIME-Version: 1.0',
		'Content-Type: multipart/mixed; boundary=x',
		'',
		'--x',
		'Content-Type: text/plain; charset=utf-8',
		'Content-Transfer-Encoding: quoted-printable',
		'',
		body,
		'--x',
		'Content-Type: application/pdf; name="list.pdf"',
		'Content-Disposition: attachment; filename="list.pdf"',
		'Content-Transfer-Encoding: base64',
		'',
		'JVBERi0=',
		'--x--',
		''
	];
	return Buffer.from(lines.join('\r\n'));
}

function contentTypes(overrides: string): Part {
	const defaults =
		'<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>';
	return {
		name: '[Content_Types].xml',
		content: `${xml}<Types xmlns="${openXml}/package/2006/content-types">${defaults}${overrides}</Types>`
	};
}

function relations(name: string, list: readonly (readonly string[])[]): Part {
	const all = list
		.map(([id, type, target]) => `<Relationship Id="${id}" Type="${type}" Target="${target}"/>`)
		.join('');
	return { name, content: `${xml}<Relationships xmlns="${relationships}">${all}</Relationships>` };
}

function escape(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
