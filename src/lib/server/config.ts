// The one table of settings: name, schema, default, words. readConfig is pure; its callers in cli/ are the only
// readers of process.env. `npm run check` holds the README's table against this one.
import { isIP } from 'node:net';
import path from 'node:path';
import * as v from 'valibot';

type Setting = { default: string; about: string; allowed: string; parse: v.GenericSchema<string, unknown> };

const text = v.pipe(v.string(), v.trim());
const url = v.union([v.literal(''), v.pipe(text, v.url())]);
const whole = (min: number, max = Number.MAX_SAFE_INTEGER) =>
	v.pipe(text, v.regex(/^\d+$/), v.transform(Number), v.minValue(min), v.maxValue(max));
const list = v.pipe(
	text,
	v.transform((value) =>
		value
			.split(',')
			.map((one) => one.trim())
			.filter(Boolean)
	)
);

// prettier-ignore
export const settings = {
	HOST: s('127.0.0.1', 'address to listen on; beyond loopback a sign-in must be configured', 'an address or host name', v.pipe(text, v.minLength(1))),
	PORT: s('3000', 'port to listen on; 0 takes a free one', '0 to 65535', whole(0, 65_535)),
	ORIGIN: s('', "the address people use, e.g. `https://files.example.org`; needed behind a proxy", 'a URL without a path', url),
	DATA_DIR: s('./.data', 'where database and files are kept', 'a folder', v.pipe(text, v.minLength(1))),
	WORKER_CONCURRENCY: s('2', 'files processed at the same time', '1 to 64', whole(1, 64)),
	MAX_FILE_BYTES: s(String(2 * 1024 ** 3), 'largest file accepted', 'a number of bytes', whole(1)),
	USER_QUOTA_BYTES: s(String(50 * 1024 ** 3), 'storage per person', 'a number of bytes', whole(1)),
	HEARTBEAT_SECONDS: s('30', 'interval of the stream’s heartbeat', '1 to 300', whole(1, 300)),
	GOOGLE_CLIENT_ID: s('', 'OAuth client of Google (or of `OIDC_ISSUER`)', 'a text', text),
	GOOGLE_CLIENT_SECRET: s('', 'its secret', 'a text', text),
	OIDC_ISSUER: s('https://accounts.google.com', 'another OpenID Connect issuer instead of Google', 'a URL', v.pipe(text, v.url())),
	OPENAI_API_KEY: s('', 'key of an OpenAI-compatible provider; without one the built-in lexical embedder is used', 'a text', text),
	OPENAI_BASE_URL: s('https://api.openai.com/v1', 'its address (OpenAI, Ollama, vLLM, LM Studio …); another address needs no key', 'a URL', v.pipe(text, v.url())),
	EMBEDDING_MODEL: s('text-embedding-3-small', 'embedding model', 'a text', v.pipe(text, v.minLength(1))),
	EMBEDDING_DIMENSIONS: s('', 'dimensions to ask the model for; empty: its own', '1 to 4096, or empty', v.union([v.literal(''), whole(1, 4096)])),
	ADMIN_EMAILS: s('', 'who may use operator functions, separated by commas; embedded: also the person on the machine itself', 'e-mail addresses', list),
	LOG_LEVEL: s('info', 'how much is logged', 'debug, info, warn, error or silent', v.picklist(['debug', 'info', 'warn', 'error', 'silent']))
} satisfies Record<string, Setting>;

export type Config = Readonly<{
	host: string;
	port: number;
	origin: string | undefined;
	dataDir: string;
	workerConcurrency: number;
	maxFileBytes: number;
	userQuotaBytes: number;
	heartbeatSeconds: number;
	oidc: Readonly<{ issuer: string; clientId: string; clientSecret: string }> | undefined;
	provider:
		Readonly<{ apiKey: string; baseUrl: string; model: string; dimensions: number | undefined }> | undefined;
	adminEmails: readonly string[];
	logLevel: string;
	isLoopback: boolean;
}>;

export class ConfigError extends Error {
	override readonly name = 'ConfigError';
}

export function readConfig(env: Record<string, string | undefined>): Config {
	const read = <T>(name: keyof typeof settings, schema: v.GenericSchema<string, T>): T => {
		const value = env[name]?.trim() || settings[name].default;
		const result = v.safeParse(schema, value);
		if (result.success) return result.output;
		// A secret never reaches a log, not even a wrong one.
		const shown = /SECRET|KEY/.test(name) ? '(hidden)' : JSON.stringify(value);
		throw new ConfigError(`${name} is ${shown}; allowed: ${settings[name].allowed}.`);
	};
	const host = read('HOST', settings.HOST.parse);
	const isLoopback = isLoopbackHost(host);
	const clientId = read('GOOGLE_CLIENT_ID', settings.GOOGLE_CLIENT_ID.parse);
	const clientSecret = read('GOOGLE_CLIENT_SECRET', settings.GOOGLE_CLIENT_SECRET.parse);
	if (Boolean(clientId) !== Boolean(clientSecret)) {
		throw new ConfigError('GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together: set both or neither.');
	}
	if (!isLoopback && !clientId) {
		throw new ConfigError(
			`HOST is ${JSON.stringify(host)}, which others can reach, but no sign-in is configured: set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET, or HOST=127.0.0.1.`
		);
	}
	const origin = read('ORIGIN', settings.ORIGIN.parse);
	return Object.freeze({
		host,
		port: read('PORT', settings.PORT.parse),
		origin: origin ? plainOrigin(origin) : undefined,
		dataDir: path.resolve(read('DATA_DIR', settings.DATA_DIR.parse)),
		workerConcurrency: read('WORKER_CONCURRENCY', settings.WORKER_CONCURRENCY.parse),
		maxFileBytes: read('MAX_FILE_BYTES', settings.MAX_FILE_BYTES.parse),
		userQuotaBytes: read('USER_QUOTA_BYTES', settings.USER_QUOTA_BYTES.parse),
		heartbeatSeconds: read('HEARTBEAT_SECONDS', settings.HEARTBEAT_SECONDS.parse),
		oidc: clientId
			? { issuer: read('OIDC_ISSUER', settings.OIDC_ISSUER.parse), clientId, clientSecret }
			: undefined,
		provider: readProvider(read),
		adminEmails: read('ADMIN_EMAILS', settings.ADMIN_EMAILS.parse).map((email) => email.toLowerCase()),
		logLevel: read('LOG_LEVEL', settings.LOG_LEVEL.parse),
		isLoopback
	});
}

export function isLoopbackHost(host: string): boolean {
	const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
	if (bare === 'localhost' || bare === '::1') return true;
	return isIP(bare) === 4 && bare.startsWith('127.');
}

type Read = <T>(name: keyof typeof settings, schema: v.GenericSchema<string, T>) => T;

function readProvider(read: Read): Config['provider'] {
	const apiKey = read('OPENAI_API_KEY', settings.OPENAI_API_KEY.parse);
	const baseUrl = read('OPENAI_BASE_URL', settings.OPENAI_BASE_URL.parse);
	if (!apiKey && baseUrl === settings.OPENAI_BASE_URL.default) return undefined;
	const dimensions = read('EMBEDDING_DIMENSIONS', settings.EMBEDDING_DIMENSIONS.parse);
	return {
		apiKey: apiKey || 'none',
		baseUrl,
		model: read('EMBEDDING_MODEL', settings.EMBEDDING_MODEL.parse),
		dimensions: dimensions === '' ? undefined : dimensions
	};
}

function plainOrigin(value: string): string {
	const { origin, pathname, search, protocol } = new URL(value);
	if (!/^https?:$/.test(protocol) || pathname !== '/' || search !== '') {
		throw new ConfigError(`ORIGIN is ${JSON.stringify(value)}; allowed: ${settings.ORIGIN.allowed}.`);
	}
	return origin;
}

function s<T extends v.GenericSchema<string, unknown>>(
	value: string,
	about: string,
	allowed: string,
	parse: T
) {
	return { default: value, about, allowed, parse };
}
