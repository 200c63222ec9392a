import { describe, expect, test } from 'vitest';
import { damaged, truncated } from '../../../../../tests/support/make-files.ts';
import {
	makeDocx,
	makeEpub,
	makeMail,
	makeOdf,
	makePptx,
	makeSheets
} from '../../../../../tests/support/make-office.ts';
import { makeZip } from '../../../../../tests/support/make-zip.ts';
import { textOf, useStages } from '../../../../../tests/support/stage-input.ts';

const openXml = 'application/vnd.openxmlformats-officedocument';
const types = {
	docx: `${openXml}.wordprocessingml.document`,
	pptx: `${openXml}.presentationml.presentation`,
	xlsx: `${openXml}.spreadsheetml.sheet`,
	ods: 'application/vnd.oasis.opendocument.spreadsheet',
	odt: 'application/vnd.oasis.opendocument.text',
	odp: 'application/vnd.oasis.opendocument.presentation',
	epub: 'application/epub+zip',
	eml: 'message/rfc822'
};
const { read } = useStages(1);

describe('office documents', () => {
	test('Word: paragraphs in sections by heading', async () => {
		const pages = await read(
			makeDocx([
				'Before.',
				{ heading: 1, text: 'Fog' },
				'Ring the bell & wait.',
				{ heading: 2, text: 'In May' },
				'More fog.'
			]),
			types.docx
		);
		expect(pages.map(({ number, section, text }) => [number, section, text])).toEqual([
			[null, null, 'Before.'],
			[null, 'Fog', 'Fog\n\nRing the bell & wait.'],
			[null, 'Fog › In May', 'In May\n\nMore fog.']
		]);
	});

	test('PowerPoint: slides in the order of the show, with titles and notes', async () => {
		const pages = await read(
			makePptx([
				{ title: 'Welcome', lines: ['To Grey Point'] },
				{ title: 'The lamp', lines: ['Two flashes', 'Twelve seconds'], notes: 'Speak slowly' }
			]),
			types.pptx
		);
		expect(pages).toEqual([
			{ number: 1, section: 'Welcome', text: 'Welcome\nTo Grey Point' },
			{ number: 2, section: 'The lamp', text: 'The lamp\nTwo flashes\nTwelve seconds\n\nSpeak slowly' }
		]);
	});

	test.each(['xlsx', 'ods'] as const)(
		'%s: rows of every sheet with the names of their columns',
		async (format) => {
			const many = Array.from({ length: 60 }, (_, i) => [`Bird ${i}`, i]);
			const pages = await read(
				makeSheets(
					{
						Birds: [['name', 'count'], ...many],
						Notes: [
							['place', 'when'],
							['marsh', new Date(Date.UTC(2024, 0, 5))]
						]
					},
					format
				),
				types[format]
			);
			expect(pages.map((page) => page.section)).toEqual([
				'Birds, rows 1–50',
				'Birds, rows 51–60',
				'Notes, rows 1–1'
			]);
			expect(pages[0]?.text.split('\n')[7]).toBe('name: Bird 7; count: 7');
			// An OpenDocument sheet says itself how its cells look.
			const shown = { xlsx: '2024-01-05', ods: '1/5/24' }[format];
			expect(pages[2]?.text).toBe(`place: marsh; when: ${shown}`);
		}
	);

	test('OpenDocument text: paragraphs in sections, without what was deleted', async () => {
		const body =
			'<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:h text:outline-level="1">Storms</text:h><text:p>Close<text:s/>the <text:span>shutters</text:span>.</text:p><text:list><text:list-item><text:p>goat</text:p></text:list-item></text:list>';
		expect(await read(makeOdf('text', body), types.odt)).toEqual([
			{ number: null, section: 'Storms', text: 'Storms\n\nClose the shutters.\ngoat' }
		]);
	});

	test('OpenDocument presentation: slides as pages', async () => {
		const slide = (text: string) =>
			`<draw:page><draw:frame><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame></draw:page>`;
		const pages = await read(makeOdf('presentation', `${slide('First')}${slide('Second')}`), types.odp);
		expect(pages.map(({ number, text }) => [number, text])).toEqual([
			[1, 'First'],
			[2, 'Second']
		]);
	});

	test('EPUB: chapters in the order of the spine', async () => {
		const pages = await read(
			makeEpub([
				{ title: 'One', body: '<p>Begin.</p>' },
				{ title: 'Two', body: '<p>End.</p>' }
			]),
			types.epub
		);
		expect(pages.map((page) => page.section)).toEqual(['Book', 'Book › One', 'Book', 'Book › Two']);
		expect(textOf(pages)).toMatch(/Begin\.[^]*End\./);
	});

	test('mail: who, when, what about, the text, the names of attachments', async () => {
		const text = textOf(await read(makeMail(), types.eml));
		for (const words of [
			'Subject: Supply boat',
			'From: Adèle <ada@example.org>',
			'Attachments: list.pdf',
			'The boat comes on Thursday.'
		]) {
			expect(text).toContain(words);
		}
	});
});

describe('documents that only their owner can open', () => {
	const cipher = Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7919) % 256));
	const encryption = (part: string) => ({
		name: 'META-INF/encryption.xml',
		content: `<encryption><EncryptedData><CipherData><CipherReference URI="${part}"/></CipherData></EncryptedData></encryption>`
	});
	const book = (hidden: string, chapter: string | Buffer) =>
		makeZip([
			{
				name: 'META-INF/container.xml',
				content: '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
			},
			{
				name: 'OPS/book.opf',
				content:
					'<package><manifest><item id="c" href="a%20b.xhtml"/></manifest><spine><itemref idref="c"/></spine></package>'
			},
			encryption(hidden),
			{ name: 'OPS/a b.xhtml', content: chapter }
		]);

	test('a book is refused when its chapters are encrypted, not when its fonts are', async () => {
		await expect(read(book('OPS/a%20b.xhtml', cipher), types.epub)).rejects.toMatchObject({
			code: 'file.protected'
		});
		expect(textOf(await read(book('OPS/fonts/a.otf', '<p>open words</p>'), types.epub))).toBe('open words');
	});

	test.each(['odt', 'odp', 'ods'] as const)('%s with a password is refused', async (kind) => {
		const manifest =
			'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>';
		const file = makeZip([
			{ name: 'META-INF/manifest.xml', content: manifest },
			{ name: 'content.xml', content: cipher }
		]);
		await expect(read(file, types[kind])).rejects.toMatchObject({ code: 'file.protected' });
	});
});

describe('archives that mean harm', () => {
	const zeros = Buffer.alloc(70 * 1024 ** 2);
	const bomb = makeZip([
		{ name: 'content.xml', content: zeros },
		{ name: 'word/document.xml', content: 'x' }
	]);

	test.each(['docx', 'xlsx', 'pptx', 'odt', 'epub'] as const)(
		'%s: that unpack to far more than their size are refused',
		async (kind) => {
			await expect(read(bomb, types[kind])).rejects.toMatchObject({ code: 'archive.bomb' });
		}
	);

	test('that lie about their size are refused', async () => {
		const liar = makeZip([{ name: 'content.xml', content: zeros, claimedBytes: 1000 }]);
		for (const kind of ['docx', 'odt'] as const)
			await expect(read(liar, types[kind]), kind).rejects.toMatchObject({ code: 'archive.bomb' });
	});

	test('that name files outside themselves are refused', async () => {
		const sly = makeZip([
			{ name: '../../etc/passwd', content: 'x' },
			{ name: 'content.xml', content: '<a/>' }
		]);
		await expect(read(sly, types.odt)).rejects.toMatchObject({ code: 'file.damaged' });
	});

	test('XML inside does not expand entities', async () => {
		const entities = Array.from(
			{ length: 9 },
			(_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`
		).join('');
		const bomb = `<!DOCTYPE x [<!ENTITY l0 "lol">${entities}]><text:p>&l9;</text:p>`;
		expect(textOf(await read(makeOdf('text', bomb), types.odt)).length).toBeLessThan(100);
		const outcome = await read(
			makeDocx(['x'], [{ name: 'word/document.xml', content: bomb }]),
			types.docx
		).then(textOf, (error: { code?: string }) => error.code ?? '');
		expect(outcome.length).toBeLessThan(100);
	});
});

describe('damage', () => {
	const intact = {
		docx: makeDocx(['words '.repeat(200)]),
		pptx: makePptx([{ title: 'a', lines: ['words '.repeat(200)] }]),
		xlsx: makeSheets({ a: [['b'], ['words '.repeat(200)]] }),
		odt: makeOdf('text', `<text:p>${'words '.repeat(200)}</text:p>`),
		epub: makeEpub([{ title: 'a', body: 'words '.repeat(200) }])
	};

	test.each(Object.keys(intact) as (keyof typeof intact)[])(
		'%s: truncated, empty of parts or no archive at all is damaged',
		async (kind) => {
			for (const bytes of [
				truncated(intact[kind]),
				makeZip([{ name: 'other', content: 'x' }]),
				Buffer.from('PK no')
			]) {
				await expect(read(bytes, types[kind])).rejects.toMatchObject({ code: 'file.damaged' });
			}
		}
	);

	test.each(Object.keys(intact) as (keyof typeof intact)[])(
		'%s: random damage ends in pages or in a typed failure',
		async (kind) => {
			for (let seed = 1; seed <= 12; seed++) {
				const outcome = await read(damaged(intact[kind], seed, seed), types[kind]).then(
					() => 'pages',
					(error: { code?: string }) => error.code
				);
				expect(['pages', 'file.damaged', 'archive.bomb'], `seed ${seed}`).toContain(outcome);
			}
		}
	);
});
