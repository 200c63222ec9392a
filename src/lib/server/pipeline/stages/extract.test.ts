import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { limits } from '#lib/shared/limits.ts';
import {
	damaged,
	makeCsv,
	makeHeic,
	makeHtml,
	makeHugePng,
	makeImage,
	makeJson,
	makeLongPdf,
	makePdf,
	makeSvg,
	makeText,
	truncated
} from '../../../../../tests/support/make-files.ts';
import { collect, textOf, useStages } from '../../../../../tests/support/stage-input.ts';

const { stages, prepare, read } = useStages(2);

describe('PDF', () => {
	test('pages arrive in order with their numbers, and every page is ticked', async () => {
		const input = await prepare(makePdf(['Alpha one', 'Beta two', 'Gamma three']), 'application/pdf');
		expect(await collect(stages.extract(input))).toEqual([
			{ number: 1, section: null, text: 'Alpha one' },
			{ number: 2, section: null, text: 'Beta two' },
			{ number: 3, section: null, text: 'Gamma three' }
		]);
		expect(input.ticks.at(-1)).toEqual({ done: 3, total: 3, unit: 'pages' });
	});

	test('the first page is there long before the last is read', async () => {
		const input = await prepare(makeLongPdf(400), 'application/pdf');
		let seen = 0;
		for await (const page of stages.extract(input)) {
			expect(page.number).toBe(++seen);
			if (seen === 1) expect(input.ticks.at(-1)?.done ?? 0).toBeLessThan(50);
		}
		expect(seen).toBe(400);
	});

	test('a page that cannot be read is a warning, the others are read', async () => {
		const pages = await read(makePdf(['one', 'two', 'three'], { brokenPages: [2] }), 'application/pdf');
		expect(pages.map((page) => page.text)).toEqual(['one', '', 'three']);
		expect(pages[1]?.warning).toMatchObject({ code: 'file.damaged', pages: [2] });
	});

	test('a page without text says so', async () => {
		const pages = await read(makePdf(['words', '']), 'application/pdf');
		expect(pages[1]).toMatchObject({ number: 2, text: '', warning: { code: 'pdf.no_text', pages: [2] } });
	});

	test('pages without text come with a picture where that is wanted, up to a number that is told', async () => {
		const pages = await read(makePdf(['words', '', '', '']), 'application/pdf', { maxPictures: 2 });
		expect(pages.map(({ picture }) => picture !== undefined)).toEqual([false, true, true, false]);
		expect(pages[3]?.warning).toEqual({
			code: 'vision.too_many_pages',
			message: 'Only the first 2 pages without text were read from their pictures. Split the file.',
			pages: [4]
		});
	});

	test('rows of dots, as in a table of contents, are one', async () => {
		const pages = await read(makePdf([`Fog ${'. '.repeat(40)}17`, 'Wait...']), 'application/pdf');
		expect(pages.map((page) => page.text)).toEqual(['Fog … 17', 'Wait...']);
	});

	test('an encrypted file needs its password', async () => {
		const file = makePdf(['Secret words'], { password: 'open sesame' });
		await expect(read(file, 'application/pdf')).rejects.toMatchObject({
			code: 'pdf.encrypted',
			details: { wrongPassword: false }
		});
		await expect(read(file, 'application/pdf', { password: 'no' })).rejects.toMatchObject({
			code: 'pdf.encrypted',
			details: { wrongPassword: true }
		});
		expect(textOf(await read(file, 'application/pdf', { password: 'open sesame' }))).toBe('Secret words');
	});

	test.each([
		['garbage', Buffer.from('%PDF-1.7 this is no PDF at all')],
		['only a header', truncated(makePdf(['one']), 0.02)],
		['no readable page', makePdf(['one', 'two'], { brokenPages: [1, 2] })]
	])('a damaged file (%s) fails as damaged', async (_what, bytes) => {
		await expect(read(bytes, 'application/pdf')).rejects.toMatchObject({ code: 'file.damaged' });
	});

	test('a file that says it has fewer pages than none is damaged, not empty', async () => {
		const file = Buffer.from(
			makePdf(Array.from({ length: 10 }, () => 'words'))
				.toString('latin1')
				.replace('/Count 10', '/Count -9'),
			'latin1'
		);
		await expect(read(file, 'application/pdf')).rejects.toMatchObject({ code: 'file.damaged' });
	});

	test('dozens of files with random damage end in pages or in a typed failure, never otherwise', async () => {
		const original = makePdf(['The first page of many words', 'The second page', 'The third page']);
		for (let seed = 1; seed <= 30; seed++) {
			const pages = read(damaged(original, seed, seed * 3), 'application/pdf');
			const outcome = await pages.then(
				() => 'pages',
				(error: { code?: string }) => error.code
			);
			expect(['pages', 'file.damaged'], `seed ${seed}`).toContain(outcome);
		}
	});

	test('with more pages than are allowed is refused before it is read', async () => {
		const file = makePdf(Array.from({ length: limits.maxPdfPages + 1 }, () => ''));
		await expect(read(file, 'application/pdf')).rejects.toMatchObject({ code: 'pdf.too_many_pages' });
	});

	test('cancelling stops the reading within a second', async () => {
		const controller = new AbortController();
		const input = await prepare(makeLongPdf(2000), 'application/pdf', { signal: controller.signal });
		let stopped = 0;
		const reading = (async () => {
			for await (const page of stages.extract(input))
				if (page.number === 5) controller.abort(new Error('stop'));
		})();
		await expect(reading.finally(() => (stopped = Date.now()))).rejects.toThrow('stop');
		const done = input.ticks.at(-1)?.done;
		await delay(200);
		expect(input.ticks.at(-1)?.done).toBe(done);
		expect(Date.now() - stopped).toBeLessThan(1000);
	});
});

describe('text', () => {
	const words = 'Zażółć gęślą jaźń – naïve café – Ελληνικά – Привет – 日本語';

	test.each(['utf8', 'utf8-bom', 'utf16le', 'utf16be'] as const)('is read in %s', async (encoding) => {
		expect(textOf(await read(makeText(words, encoding), 'text/plain'))).toBe(words);
	});

	test('is read in UTF-16 without a mark, in Windows-1252, Shift_JIS and KOI8-R', async () => {
		const latin =
			'Le garçon mangeait une crêpe à la crème brûlée, près de la fenêtre. Ça lui a plu énormément. '
				.repeat(4)
				.trim();
		expect(
			textOf(await read(Buffer.from('plain words here '.repeat(20).trim(), 'utf16le'), 'text/plain'))
		).toContain('plain words here');
		expect(textOf(await read(makeText(latin, 'latin1'), 'text/plain'))).toBe(latin);
		const japanese = Buffer.from(
			'93fa967b8cea82cc83658358836782c582b7814282b182ea82cd93fa967b8cea82c582b78142',
			'hex'
		);
		expect(textOf(await read(japanese, 'text/plain'))).toBe('日本語のテストです。これは日本語です。');
		const russian = Buffer.from(
			'f0d2c9d7c5d42c20cdc9d22120fcd4cf20d0d2cfd3d4cfca20d4c5cbd3d420cec120d2d5d3d3cbcfcd20d1dad9cbc52e',
			'hex'
		);
		expect(textOf(await read(russian, 'text/plain'))).toBe(
			'Привет, мир! Это простой текст на русском языке.'
		);
	});

	test('is handed over in groups of lines that say which lines they are', async () => {
		const text = Array.from({ length: 300 }, (_, i) => (i % 10 === 8 ? '' : `line number ${i + 1}`)).join(
			'\n'
		);
		const pages = await read(makeText(text), 'text/plain');
		expect(pages.map((page) => page.section)).toEqual([
			'lines 1–89',
			'lines 90–169',
			'lines 170–249',
			'lines 250–300'
		]);
		expect(textOf(pages)).toBe(text);
	});

	test('without line ends, and with NUL inside, is read in pieces the database can keep', async () => {
		const pages = await read(makeText(`a\0b${'word '.repeat(50_000)}`), 'text/plain');
		expect(pages.length).toBeGreaterThan(10);
		expect(Math.max(...pages.map((page) => page.text.length))).toBeLessThan(20_000);
		expect(textOf(pages)).not.toContain('\0');
	});

	test('bytes that are no text in any encoding do not fail', async () => {
		const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256));
		expect((await read(bytes, 'text/plain')).length).toBeGreaterThan(0);
	});
});

describe('structured text', () => {
	test('Markdown becomes sections by heading, without markup', async () => {
		const pages = await read(
			makeText(
				'---\ntitle: Guide\n---\nIntro *text*.\n\n# Install\n\nRun `npm start`.\n\n- one\n- two **bold**\n\n## On [Linux](http://x)\n\n| a | b |\n|---|---|\n| c | d |\n\n```js\nlet x = 1;\n```\n'
			),
			'text/markdown'
		);
		expect(pages.map((page) => page.section)).toEqual([null, 'Install', 'Install › On Linux']);
		expect(pages[0]?.text).toContain('Intro text.');
		expect(pages[1]?.text).toBe('Install\n\nRun npm start.\n\n• one\n• two bold');
		expect(pages[2]?.text).toBe('On Linux\n\na\tb\nc\td\n\nlet x = 1;');
	});

	test('CSV rows carry the names of their columns', async () => {
		const rows = Array.from({ length: 120 }, (_, i) => [`Ada ${i}`, 'London, "the city"', '']);
		const pages = await read(makeCsv(['name', 'place', 'note'], rows), 'text/csv');
		expect(pages.map((page) => page.section)).toEqual(['rows 1–50', 'rows 51–100', 'rows 101–120']);
		expect(pages[0]?.text.split('\n')[0]).toBe('name: Ada 0; place: London, "the city"');
	});

	test('CSV with semicolons and without a header is read as well', async () => {
		const pages = await read(makeCsv(['1', '2'], [['3', 'x']], ';'), 'text/csv');
		expect(textOf(pages)).toBe('1; 2\n3; x');
	});

	test('CSV that breaks off keeps the rows before', async () => {
		const pages = await read(makeText('name,place\nAda,London\nBob,"Par'), 'text/csv');
		expect(textOf(pages)).toContain('name: Ada; place: London');
	});

	test('JSON becomes lines with paths', async () => {
		const pages = await read(
			makeJson({ orders: [{ id: 7, customer: { name: 'Ada' }, tags: ['new', null] }] }),
			'application/json'
		);
		expect(textOf(pages)).toBe('orders[0].id: 7\norders[0].customer.name: Ada\norders[0].tags[0]: new');
	});

	test('JSON that is not valid is read as text and says so; JSON lines are valid', async () => {
		const broken = await read(makeText('{"name": "Ada", "place'), 'application/json');
		expect(broken[0]?.warning?.code).toBe('file.damaged');
		expect(textOf(broken)).toContain('"Ada"');
		const linewise = await read(makeText('{"a":1}\n{"a":2}\n{"a":3}'), 'application/json');
		expect(linewise.some((page) => page.warning)).toBe(false);
	});

	test('HTML becomes what a reader sees, by heading', async () => {
		const pages = await read(
			makeHtml(
				'The title',
				'<p>Intro&amp;more <b>bold</b>text</p><script>alert(1)</script><h2>Part <i>one</i></h2><ul><li>first</li><li>second</li></ul><img alt="A cat"><p hidden>secret</p>'
			),
			'text/html'
		);
		expect(pages.map((page) => page.section)).toEqual(['The title', 'The title › Part one']);
		expect(textOf(pages)).toContain('Intro&more boldtext');
		expect(textOf(pages)).toContain('• first\n• second');
		expect(textOf(pages)).toContain('A cat');
		expect(textOf(pages)).not.toMatch(/secret|alert|color/);
	});

	test('HTML in the encoding it declares', async () => {
		const html = makeText(
			'<html><head><meta charset="iso-8859-2"></head><body>\xB1\xEA</body></html>',
			'latin1'
		);
		expect(textOf(await read(html, 'text/html'))).toBe('ąę');
	});

	test('XML is read, and entities it declares are not expanded', async () => {
		const lol = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
		const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">${lol}]><x lang="en">words &l9;<y>more</y></x>`;
		const text = textOf(await read(makeText(bomb), 'application/xml'));
		expect(text).toContain('words');
		expect(text).toContain('more');
		expect(text.length).toBeLessThan(1000);
	});
});

describe('pictures', () => {
	test('HEIC says what it is, and is shown to a model as a JPEG', async () => {
		const [page] = await read(await makeHeic(), 'image/heic', { maxPictures: 1 });
		expect(page?.text).toContain('HEIC picture, 32 × 32 pixels');
		expect((await sharp(page?.picture).metadata()).format).toBe('jpeg');
	});

	test('say what they are and what their maker wrote', async () => {
		const exif = {
			IFD0: { ImageDescription: 'Boats at dusk', Artist: 'Ada', Make: 'Canon', Model: 'R5' },
			IFD2: { DateTimeOriginal: '2024:05:03 19:20:00' }
		};
		const pages = await read(await makeImage({ format: 'jpeg', exif }), 'image/jpeg', {
			filename: 'harbour.jpg'
		});
		expect(pages).toHaveLength(1);
		for (const words of [
			'harbour.jpg',
			'JPEG picture, 320 × 200 pixels',
			'Boats at dusk',
			'By Ada',
			'Taken 2024-05-03 19:20',
			'Camera Canon R5'
		]) {
			expect(pages[0]?.text).toContain(words);
		}
	});

	test('an SVG is searchable by its words', async () => {
		const text = textOf(
			await read(
				makeSvg('<title>Plan of the garden</title><text x="1" y="9">Apple tree</text><style>.a{}</style>'),
				'image/svg+xml'
			)
		);
		expect(text).toContain('Plan of the garden');
		expect(text).toContain('Apple tree');
		expect(text).not.toContain('.a{}');
	});

	test('too many pixels and damage have their own codes', async () => {
		await expect(read(makeHugePng(), 'image/png')).rejects.toMatchObject({ code: 'image.too_many_pixels' });
		await expect(read(Buffer.from('no picture'), 'image/jpeg')).rejects.toMatchObject({
			code: 'file.damaged'
		});
	});
});

test('a type nobody can read is refused', async () => {
	await expect(read(Buffer.from('x'), 'application/x-unknown')).rejects.toMatchObject({
		code: 'file.unsupported_type'
	});
});
