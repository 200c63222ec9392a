// What a browser is to a server: requests over real HTTP, cookies kept by path, no redirect followed unasked. Host and
// Origin can be set to anything, which fetch does not allow.
import { type IncomingHttpHeaders, request } from 'node:http';

export type Answer = {
	status: number;
	headers: IncomingHttpHeaders;
	text: string;
	json(): Record<string, unknown>;
	/** Where a redirect leads. */
	location: string;
	/** The Set-Cookie headers as they came. */
	cookies: string[];
};
export type Ask = { method?: string; headers?: Record<string, string>; body?: string };
export type Browser = {
	ask(path: string, options?: Ask): Promise<Answer>;
	/** A form's button or a page's own fetch: with the Origin that a browser adds. */
	post(path: string, body?: string, headers?: Record<string, string>): Promise<Answer>;
	cookies: Map<string, Cookie>;
};
type Cookie = { value: string; path: string };

export function openBrowser(serverUrl: string): Browser {
	const cookies = new Map<string, Cookie>();

	async function ask(path: string, options: Ask = {}): Promise<Answer> {
		const url = new URL(path, serverUrl);
		const sent = [...cookies]
			.filter(([, cookie]) => url.pathname === cookie.path || url.pathname.startsWith(withSlash(cookie.path)))
			.map(([name, cookie]) => `${name}=${cookie.value}`)
			.join('; ');
		const answer = await send(url, {
			...options,
			headers: { ...(sent && { cookie: sent }), ...options.headers }
		});
		for (const line of answer.cookies) keep(cookies, line);
		return answer;
	}

	return {
		cookies,
		ask,
		post: (path, body = '', headers = {}) =>
			ask(path, { method: 'POST', body, headers: { origin: serverUrl, ...headers } })
	};
}

function keep(cookies: Map<string, Cookie>, line: string): void {
	const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
	const [name = '', value = ''] = pair.split(/=(.*)/s);
	const attribute = (wanted: string) =>
		attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
	if (attribute('max-age') === '0' || value === '') cookies.delete(name);
	else cookies.set(name, { value, path: attribute('path') ?? '/' });
}

function withSlash(path: string): string {
	return path.endsWith('/') ? path : `${path}/`;
}

function send(url: URL, { method = 'GET', headers = {}, body = '' }: Ask): Promise<Answer> {
	const length =
		method === 'GET' || method === 'HEAD' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
	return new Promise((resolve, reject) => {
		const asked = request(url, { method, headers: { ...length, ...headers }, agent: false }, (response) => {
			const chunks: Buffer[] = [];
			response.on('data', (chunk: Buffer) => chunks.push(chunk));
			response.once('error', reject);
			response.once('end', () => {
				const text = Buffer.concat(chunks).toString('utf8');
				resolve({
					status: response.statusCode ?? 0,
					headers: response.headers,
					text,
					json: () => JSON.parse(text) as Record<string, unknown>,
					location: response.headers.location ?? '',
					cookies: response.headers['set-cookie'] ?? []
				});
			});
		});
		asked.once('error', reject);
		asked.end(body);
	});
}
