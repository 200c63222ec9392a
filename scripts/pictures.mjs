// Pictures of the page's main states, in both themes and two widths, from the built server: `node scripts/pictures.mjs`
// writes docs/pictures. A double of the embedding provider holds files in the middle of their work.
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from '@playwright/test';
import sharp from 'sharp';
import config from '../playwright.config.ts';
import { makeCsv, makeJson, makePdf, makeText, truncated } from '../tests/support/make-files.ts';
import { startProviderDouble } from '../tests/support/provider.ts';
import { signIn, startServer } from '../tests/support/server.ts';

const folder = path.resolve(import.meta.dirname, '../docs/pictures');
const widths = { wide: { width: 1200, height: 800 }, phone: { width: 390, height: 844 } };
const themes = ['light', 'dark'];

const story =
	'The harbour keeper lit the lantern at nine and wrote down what the night had brought. Two boats came in from the ' +
	'north with copper and timber; a third waited beyond the breakwater until the tide had turned.';
const chapters = (count, closing = '') =>
	Array.from(
		{ length: count },
		(_, i) => `Chapter ${i + 1}\n\n${`${story} Entry ${i + 1}. `.repeat(6)}${closing}`
	);

const photo = readFileSync(path.resolve(import.meta.dirname, '../static/samples/harbour-at-dusk.jpg'));

mkdirSync(folder, { recursive: true });
const provider = await startProviderDouble({ maxBatch: 64 });
const server = await startServer({
	OPENAI_BASE_URL: provider.url,
	OPENAI_API_KEY: 'for-the-double',
	LOG_LEVEL: 'error'
});
const browser = await chromium.launch(config.use.launchOptions);
try {
	await takeAll();
} finally {
	await browser.close();
	await server.dispose();
	await provider.close();
}

async function takeAll() {
	await picture('sign-in', undefined, '/sign-in');
	await picture('empty', await person('empty'), '/');

	const reader = await person('reader');
	await upload(reader, 'tide-tables.csv', makeCsv(['port', 'high', 'low'], rows(400)));
	await upload(reader, 'buoys.json', makeJson(rows(120).map(([port, high]) => ({ port, high }))));
	await upload(reader, 'harbour-at-dusk.jpg', photo);
	await upload(reader, 'pilot-agreement.pdf', makePdf(chapters(3), { password: 'sesame' }));
	await upload(reader, 'storm-of-1921.pdf', truncated(makePdf(chapters(9)), 0.4));
	await upload(reader, 'keeper-letters.md', makeText(`# Letters\n\n${chapters(4).join('\n\n## Next\n\n')}`));
	await upload(reader, 'harbour-log-1921.pdf', makePdf(chapters(41)));
	const files = await ended(reader, 7);
	await picture('ended', reader, '/');
	const log = files.find(({ filename }) => filename === 'harbour-log-1921.pdf');
	await picture('file', reader, `/files/${log.id}`, async (page) => {
		await page.locator('[data-page="1"]').waitFor();
	});
	await picture('chosen', reader, '/?sort=name', async (page) => {
		await page.getByRole('button', { name: 'Select', exact: true }).click();
		for (const name of ['harbour-at-dusk.jpg', 'buoys.json'])
			await page.getByRole('checkbox', { name: `Select ${name}` }).check();
	});
	await picture('settings', reader, '/settings');
	await picture('found', reader, '/search?q=lantern+copper&type=pdf');
	await picture('search', reader, '/', async (page) => {
		await page.getByRole('combobox', { name: 'Search in your files' }).fill('lantern copper');
		await page.getByRole('option').first().waitFor();
	});

	await picture('project', reader, await project(reader));

	const worker = await person('worker');
	await upload(worker, 'fog-signals.txt', makeText(chapters(2).join('\n\n')));
	await upload(worker, 'harbour-at-dusk.jpg', photo);
	await upload(worker, 'storm-of-1921.pdf', truncated(makePdf(chapters(9)), 0.4));
	await ended(worker, 3);
	// From here on the provider never answers for these entries.
	provider.failWhen(({ inputs }) =>
		/Entry (9|200)\./.test(inputs.join(' ')) ? { kind: 'hang' } : undefined
	);
	await upload(worker, 'harbour-log-1922.pdf', makePdf(chapters(320)));
	await upload(worker, 'letters-to-the-ministry.pdf', makePdf(chapters(12)));
	await upload(worker, 'inventory.csv', makeCsv(['thing', 'high', 'low'], rows(90)));
	await upload(worker, 'visitors-book.pdf', makePdf(chapters(20)));
	await until(worker, (all) => all.filter(({ activity }) => activity?.unit === 'chunks').length === 2);
	await picture('list', worker, '/');
}

async function picture(name, cookie, address, prepare = async () => {}) {
	for (const colorScheme of themes) {
		for (const [device, viewport] of Object.entries(widths)) {
			const isMobile = device === 'phone';
			const context = await browser.newContext({
				baseURL: server.url,
				colorScheme,
				viewport,
				isMobile,
				hasTouch: isMobile
			});
			if (cookie) await context.addCookies([{ ...cookie, url: server.url }]);
			const page = await context.newPage();
			await page.goto(address);
			if (cookie) await page.getByText('Live', { exact: true }).waitFor();
			await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => 'the stream never is');
			await prepare(page);
			const file = path.join(folder, `${name}-${colorScheme}-${device}.png`);
			await sharp(await page.screenshot())
				.png({ palette: true, quality: 95 })
				.toFile(file);
			await context.close();
		}
	}
	process.stdout.write(`${name}\n`);
}

async function person(name) {
	const [key, value] = (await signIn(server, `${name}@localhost`)).split('=');
	return { name: key, value };
}

async function upload(cookie, filename, bytes, query = '') {
	const body = new FormData();
	body.append('file', new Blob([bytes]), filename);
	const answer = await ask(cookie, `/api/files/upload${query}`, { method: 'POST', body });
	if (!answer.ok) throw new Error(`${filename}: ${await answer.text()}`);
}

/** One that is shared, with topics found in it: its address. */
async function project(owner) {
	const { id } = await tell(owner, '/api/projects', { name: 'Harbour history' });
	const guest = await person('keeper');
	const invited = { email: 'keeper@localhost', role: 'editor' };
	const invitation = await tell(owner, `/api/projects/${id}/invitations`, invited);
	await ask(guest, `/api/invitations/${invitation.id}/accept`, { method: 'POST' });
	const subjects = {
		lighthouse: 'The lantern of the lighthouse was lit at dusk and trimmed at midnight.',
		breakwater: 'The breakwater was mended with granite from the quarry of the island.'
	};
	for (const [name, sentence] of Object.entries(subjects))
		for (let part = 1; part <= 3; part++)
			await upload(
				owner,
				`${name}-${part}.txt`,
				makeText(`${sentence} Part ${part}. `.repeat(5)),
				`?project=${id}`
			);
	await untilIn(owner, `/api/projects/${id}/files`, ({ files }) => files.every(hasEnded));
	await untilIn(owner, `/api/projects/${id}/proposals`, ({ proposals }) => proposals.length > 1);
	return `/projects/${id}`;
}

function hasEnded({ status }) {
	return /completed|failed/.test(status);
}

async function tell(cookie, address, body) {
	const headers = { 'content-type': 'application/json' };
	const answer = await ask(cookie, address, { method: 'POST', headers, body: JSON.stringify(body) });
	if (!answer.ok) throw new Error(`${address}: ${await answer.text()}`);
	return answer.json();
}

function ended(cookie, count) {
	return until(cookie, (files) => files.filter(hasEnded).length === count);
}

async function until(cookie, isSo) {
	return (await untilIn(cookie, '/api/files', ({ files }) => isSo(files))).files;
}

async function untilIn(cookie, address, isSo) {
	for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
		const answer = await (await ask(cookie, address)).json();
		if (isSo(answer)) return answer;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error('The files never came so far.');
}

function ask(cookie, address, init = {}) {
	const headers = { ...init.headers, cookie: `${cookie.name}=${cookie.value}`, origin: server.url };
	return fetch(new URL(address, server.url), { ...init, headers });
}

function rows(count) {
	return Array.from({ length: count }, (_, i) => [
		`harbour ${i + 1}`,
		`${(i * 7) % 12}:10`,
		`${(i * 5) % 12}:40`
	]);
}
