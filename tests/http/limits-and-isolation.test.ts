// What one person may see, and what any answer may carry: nobody else's files by any way in, nothing that a browser
// would run in our name, the same protection on every kind of answer.
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { type Answer, openBrowser } from '../support/browser.ts';
import { makePdf, makeSvg, mulberry32, pageText } from '../support/make-files.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { enter, type Person } from './person.ts';

const secret = 'only2';

let server: TestServer;
let ada: Person;
let eve: Person;
let hers: StoredFile;

beforeAll(async () => {
	server = await startServer({ HEARTBEAT_SECONDS: '1' });
	[ada, eve] = await Promise.all([enter(server, 'ada@localhost'), enter(server, 'eve@localhost')]);
	const { id } = await ada.add('secret.pdf', makePdf([pageText(1), pageText(2)]));
	const [ended] = await ada.ended([id]);
	if (!ended) throw new Error('The file is gone.');
	hers = ended;
});
afterAll(() => server?.dispose());

describe('another person', () => {
	it('finds nothing in lists and searches, whatever she asks for', async () => {
		expect((await (await ada.ask(`/api/search?q=${secret}`)).json()).results).toHaveLength(1);
		for (const query of [`q=${secret}`, `q=${secret}&file=${hers.id}`, 'q=secret.pdf', `q=${hers.id}`])
			expect((await (await eve.ask(`/api/search?${query}`)).json()).results).toEqual([]);
		expect(await eve.list()).toEqual([]);
		const page = await (await ada.ask('/api/files?limit=1')).json();
		const after = Buffer.from(`99999999999999999|${hers.id}`, 'latin1').toString('base64url');
		expect((await (await eve.ask(`/api/files?after=${after}`)).json()).files).toEqual([]);
		const changes = await (await eve.ask(`/api/files/changes?cursor=${page.cursor}`)).json();
		expect(JSON.stringify(changes)).not.toContain(hers.id);
		expect(JSON.stringify(await (await eve.ask('/api/files/changes')).json())).not.toContain(hers.id);
	});

	it.each([
		['GET', ''],
		['DELETE', ''],
		['POST', '/retry'],
		['POST', '/cancel'],
		['GET', '/content'],
		['GET', '/content?variant=text'],
		['GET', '/content?variant=thumbnail&inline=1'],
		['GET', '/events']
	])('gets the same answer to %s …%s as for a file that does not exist', async (method, rest) => {
		const ask = async (id: string) => {
			const answer = await eve.ask(`/api/files/${id}${rest}`, { method });
			const { requestId, ...body } = await answer.json();
			expect(requestId).toBeTruthy();
			return { status: answer.status, body };
		};
		const answer = await ask(hers.id);
		expect(answer).toMatchObject({ status: 404, body: { code: 'file.not_found' } });
		expect(await ask(randomUUID())).toEqual(answer);
		expect(await ada.get(hers.id)).toEqual(hers);
	});

	it('gets nothing with ids that are nearly hers', async () => {
		const random = mulberry32(3);
		const digits = '0123456789abcdef';
		for (let i = 0; i < 40; i++) {
			const at = Math.floor(random() * hers.id.length);
			const id = hers.id.slice(0, at) + digits[Math.floor(random() * 16)] + hers.id.slice(at + 1);
			if (id !== hers.id) expect(await eve.refusal(`/api/files/${id}`)).toBe('404 file.not_found');
		}
		for (const id of [
			hers.id.toUpperCase(),
			`{${hers.id}}`,
			`${hers.id}%00`,
			`%20${hers.id}`,
			'*',
			"' or 1=1 --"
		])
			expect(await eve.refusal(`/api/files/${encodeURIComponent(id)}`)).toBe('404 file.not_found');
	});

	it('hears nothing on her streams, neither afresh nor from a stolen cursor', async () => {
		const { cursor } = await (await ada.ask('/api/files')).json();
		const streams = await Promise.all(
			['', `?cursor=${cursor}`, `?cursor=0.0`].map((query) =>
				openSse(`${server.url}/api/files/events${query}`, eve)
			)
		);
		const mine = await openSse(`${server.url}/api/files/events`, ada);
		await ada.add('heard.txt', 'who hears this');
		await mine.next('file-update');
		for (const stream of streams) {
			await stream.next('heartbeat');
			const told = stream.frames.filter(({ event }) => event.startsWith('file-'));
			expect(told).toEqual([]);
			expect(JSON.stringify(stream.frames)).not.toMatch(new RegExp(`${hers.id}|heard.txt|secret.pdf`));
			stream.close();
		}
		mine.close();
	});
});

describe('content', () => {
	const hostile: [string, string | Buffer][] = [
		['page.html', '<!doctype html><script>alert(1)</script><p>words</p>'],
		['drawing.svg', makeSvg('<script>alert(1)</script><text y="9">words</text>')],
		[
			'page.xml',
			'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script>words</html>'
		],
		['plain.txt', 'plain words <script>alert(1)</script>']
	];

	it.each(hostile)('of %s is never something that a browser runs in our name', async (name, bytes) => {
		const { id } = await ada.add(name, bytes);
		await ada.ended([id]);
		for (const variant of ['original', 'compressed', 'thumbnail', 'preview', 'text']) {
			for (const inline of ['', '&inline=1']) {
				const answer = await ada.ask(`/api/files/${id}/content?variant=${variant}${inline}`);
				expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
				if (answer.status === 404) continue;
				expect(answer.status).toBe(200);
				expect(answer.headers.get('content-security-policy')).toContain('sandbox');
				const isShown = answer.headers.get('content-disposition')?.startsWith('inline');
				if (isShown)
					expect(answer.headers.get('content-type')).toMatch(/^(text\/plain|image\/(webp|png|jpeg))/);
				if (!inline) expect(isShown).toBe(false);
			}
		}
	});

	it('knows ranges, versions and heads', async () => {
		const at = `/api/files/${hers.id}/content`;
		const size = hers.size_bytes;
		const whole = Buffer.from(await (await ada.ask(at)).arrayBuffer());
		const part = async (range: string, more: Record<string, string> = {}) => {
			const answer = await ada.ask(at, { headers: { range, ...more } });
			const bytes = Buffer.from(await answer.arrayBuffer());
			return { status: answer.status, range: answer.headers.get('content-range'), bytes };
		};
		for (const [range, start, end] of [
			['bytes=0-0', 0, 0],
			['bytes=5-', 5, size - 1],
			['bytes=-7', size - 7, size - 1],
			[`bytes=${size - 1}-${size * 9}`, size - 1, size - 1],
			[`bytes=-${size * 9}`, 0, size - 1]
		] as const) {
			const wanted = {
				status: 206,
				range: `bytes ${start}-${end}/${size}`,
				bytes: whole.subarray(start, end + 1)
			};
			expect(await part(range)).toEqual(wanted);
		}
		for (const range of [`bytes=${size}-`, 'bytes=-0', `bytes=${'9'.repeat(400)}-`])
			expect(await part(range)).toMatchObject({ status: 416, range: `bytes */${size}` });
		for (const range of ['bytes=5-2', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,3-4'])
			expect((await part(range)).status).toBe(200);
		const etag = (await ada.ask(at)).headers.get('etag') ?? '';
		expect((await part('bytes=0-0', { 'if-range': etag })).status).toBe(206);
		expect((await part('bytes=0-0', { 'if-range': '"other"' })).status).toBe(200);
		for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
			const answer = await ada.ask(at, { headers: { 'if-none-match': known } });
			expect([answer.status, await answer.text()]).toEqual([304, '']);
		}
		const head = await ada.ask(at, { method: 'HEAD' });
		expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
			200,
			String(size),
			etag
		]);
	});

	it('is named so that no name becomes a header', async () => {
		for (const name of [
			'a%0d%0aSet-Cookie: x=1.txt',
			'quote%22; filename=%22evil.html',
			'back\\slash"quote',
			'ä€😀.txt',
			"it's (1)*.txt"
		]) {
			const { id } = await ada.add(name.replaceAll('"', '%22'), `named ${name}`);
			const answer = await ada.ask(`/api/files/${id}/content`);
			expect(answer.status).toBe(200);
			expect(answer.headers.getSetCookie()).toEqual([]);
			expect(answer.headers.get('content-disposition')).toMatch(
				/^attachment; filename="[^"\\]*"; filename\*=UTF-8''[\w.%!#$&+^`|~-]+$/
			);
		}
	});
});

describe('every kind of answer', () => {
	it('carries the same protection', async () => {
		const stream = await openSse(`${server.url}/api/files/events`, ada);
		stream.close();
		const browser = openBrowser(server.url);
		const signedIn = { headers: { cookie: ada.cookie } };
		const answers: [string, Pick<Answer, 'headers'>][] = [['the stream', stream]];
		const paths = [
			'/',
			'/sign-in',
			'/nothing',
			'/api/files',
			'/api/nothing',
			'/healthz',
			`/api/files/${hers.id}/content`
		];
		for (const path of paths) answers.push([path, await browser.ask(path, signedIn)]);
		answers.push(['a redirect', await browser.ask('/')]);
		answers.push(['a refused host', await browser.ask('/', { headers: { host: 'evil.example' } })]);
		answers.push([
			'a refused origin',
			await browser.ask('/api/files/upload', {
				method: 'POST',
				headers: { cookie: ada.cookie, origin: 'http://evil.example' }
			})
		]);
		for (const [what, { headers }] of answers) {
			expect(headers, what).toMatchObject({
				'x-content-type-options': 'nosniff',
				'x-frame-options': 'DENY',
				'referrer-policy': 'same-origin',
				'cross-origin-resource-policy': 'same-origin'
			});
			expect(headers['access-control-allow-origin'], what).toBeUndefined();
		}
	});

	it('is the API’s own where a program asked', async () => {
		for (const path of ['/api', '/api/nothing', '/api/files/upload/more', `/api/files/${hers.id}/nothing`])
			expect(await ada.refusal(path)).toBe('404 request.not_found');
		for (const [method, path] of [
			['PUT', '/api/files'],
			['PATCH', `/api/files/${hers.id}`],
			['GET', '/api/files/upload'],
			['POST', '/api/search'],
			['POST', `/api/files/${hers.id}/content`],
			['DELETE', '/healthz']
		] as const) {
			const answer = await ada.ask(path, { method });
			expect([path, answer.status, (await answer.json()).code]).toEqual([
				path,
				405,
				'request.method_not_allowed'
			]);
			expect(answer.headers.get('allow')).toBeTruthy();
		}
	});

	it('comes also to addresses that are none', async () => {
		for (const path of [
			'/%',
			'/%c0%af',
			'/api/files/%zz',
			'/..%2f..%2fetc/passwd',
			'//evil.example/',
			'/api//files',
			'/_app/../../package.json',
			`/${'a'.repeat(8_000)}`
		]) {
			const { status, text } = await rawGet(path);
			expect([path, status >= 300 && status < 500]).toEqual([path, true]);
			expect(text).not.toMatch(/root:|"dependencies"|node_modules|\n\s+at /);
		}
		expect(server.output()).not.toMatch(/unhandled|uncaught|unexpected error/i);
	});

	it('ends also for what is no HTTP', async () => {
		for (const said of [
			'hello\r\n\r\n',
			'GET / HTTP/1.1\r\n\r\n',
			'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
			'\x16\x03\x01\x02\x00',
			`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`
		])
			expect(await rawTalk(said)).toMatch(/^HTTP\/1\.1 4\d\d /);
		expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
	});
});

describe('limits', () => {
	it('hold for streams, queries and words', async () => {
		const streams = await Promise.all(
			Array.from({ length: 8 }, () => openSse(`${server.url}/api/files/events`, eve))
		);
		const ninth = await eve.ask('/api/files/events');
		expect([ninth.status, (await ninth.json()).code]).toEqual([429, 'stream.too_many']);
		expect(ninth.headers.get('retry-after')).toBeTruthy();
		for (const stream of streams) stream.close();
		for (const query of ['limit=0', 'limit=501', 'limit=-1', 'limit=1e2', 'status=lost', 'after=nonsense'])
			expect(await ada.refusal(`/api/files?${query}`)).toBe('400 request.invalid');
		expect(await ada.refusal('/api/search?q=')).toBe('400 search.query_missing');
		expect(await ada.refusal(`/api/search?q=${'x'.repeat(401)}`)).toBe('400 request.invalid');
		for (const q of [
			'"',
			'""',
			'-',
			'& | ! ()',
			"'",
			'\\',
			'%',
			'*',
			':*',
			'\u0000',
			'😀',
			'"open',
			`${'( '.repeat(150)}`
		]) {
			const answer = await ada.ask(`/api/search?q=${encodeURIComponent(q)}`);
			expect([q, answer.status < 500]).toEqual([q, true]);
		}
	});
});

/** The address exactly as given. */
function rawGet(path: string): Promise<{ status: number; text: string }> {
	const { hostname, port, host } = new URL(server.url);
	return new Promise((resolve, reject) => {
		const asking = request(
			{ hostname, port, path, headers: { host, cookie: ada.cookie }, agent: false },
			(answer) => {
				let text = '';
				answer.setEncoding('utf8').on('data', (part: string) => (text += part));
				answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
			}
		);
		asking.on('error', reject).end();
	});
}

function rawTalk(said: string): Promise<string> {
	return new Promise((resolve, reject) => {
		let heard = '';
		const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(said, 'latin1'));
		socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
		socket.on('error', reject);
		socket.on('close', () => resolve(heard));
		socket.setTimeout(10_000, () => socket.destroy());
	});
}
