// The one table of settings: name, schema, default, words. readConfig is pure; its callers in cli/ are the only
// readers of process.env. `npm run check` holds the README's table against this one.
import { isIP } from 'node:net';
import path from 'node:path';
import * as v from 'valibot';

type Setting = { default: string; about: string; allowed: string; parse: v.GenericSchema<string, unknown> };

const text = v.pipe(v.string(), v.trim());
const url = v.pipe(text, v.url(), v.regex(/^https?:\/\//i));
const email = v.pipe(text, v.toLowerCase(), v.regex(/^[^\s@]+@[^\s@]+$/));
const whole = (min: number, max = Number.MAX_SAFE_INTEGER) =>
	v.pipe(text, v.regex(/^\d+$/), v.transform(Number), v.minValue(min), v.maxValue(max));
const or = <T extends v.GenericSchema<string, unknown>>(parse: T) => v.union([v.literal(''), parse]);
const emails = v.pipe(
	text,
	v.transform((value) => value.split(',').filter((one) => one.trim() !== '')),
	v.array(email)
);

const origins = v.pipe(
	text,
	v.transform((value) =>
		value
			.split(',')
			.map((one) => one.trim())
			.filter(Boolean)
	),
	v.array(
		v.union([
			v.literal('*'),
			v.pipe(
				url,
				v.check(isPlainOrigin),
				v.transform((one) => new URL(one).origin)
			)
		])
	)
);

// prettier-ignore
export const settings = {
	HOST: s('127.0.0.1', 'address to listen on; beyond loopback a sign-in must be configured', 'an address or host name', v.pipe(text, v.minLength(1))),
	PORT: s('3000', 'port to listen on; 0 takes a free one', '0 to 65535', whole(0, 65_535)),
	ORIGIN: s('', "the address people use, e.g. `https://files.example.org`; needed behind a proxy", 'http:// or https:// and a host, without a path', or(v.pipe(url, v.check(isPlainOrigin)))),
	DATA_DIR: s('./.data', 'where database and files are kept', 'a folder', v.pipe(text, v.minLength(1))),
	WORKER_CONCURRENCY: s('2', 'big files processed at the same time; one more place is kept for small ones', '1 to 64', whole(1, 64)),
	MAX_FILE_BYTES: s(String(2 * 1024 ** 3), 'largest file accepted', 'a number of bytes', whole(1)),
	USER_QUOTA_BYTES: s(String(50 * 1024 ** 3), 'storage per person', 'a number of bytes', whole(1)),
	HEARTBEAT_SECONDS: s('30', 'interval of the stream’s heartbeat', '1 to 300', whole(1, 300)),
	GOOGLE_CLIENT_ID: s('', 'OAuth client of Google (or of `OIDC_ISSUER`)', 'a text', text),
	GOOGLE_CLIENT_SECRET: s('', 'its secret', 'a text', text),
	OIDC_ISSUER: s('https://accounts.google.com', 'another OpenID Connect issuer instead of Google', 'an http:// or https:// address', url),
	OPENAI_API_KEY: s('', 'key of an OpenAI-compatible provider; without one the built-in lexical embedder is used', 'a text', text),
	OPENAI_BASE_URL: s('https://api.openai.com/v1', 'its address (OpenAI, Ollama, vLLM, LM Studio …); another address needs no key', 'an http:// or https:// address', url),
	EMBEDDING_MODEL: s('text-embedding-3-small', 'embedding model', 'a text', v.pipe(text, v.minLength(1))),
	EMBEDDING_DIMENSIONS: s('', 'dimensions to ask the model for; empty: its own', '1 to 4096, or empty', or(whole(1, 4096))),
	VISION_MODEL: s('', 'model of the same provider that reads scans and pictures, which are sent to it; empty: they are not read', 'a text, or empty', text),
	ADMIN_EMAILS: s('', 'who may use operator functions, separated by commas; embedded: also the person on the machine itself', 'e-mail addresses', emails),
	CORS_ORIGINS: s('', 'other origins whose pages may use the API, separated by commas; `*`: any, without cookies', 'http:// or https:// and a host, without a path; or *', origins),
	HARNESS: s('', 'the page `/harness`, which shows the live stream at work; empty: on in development, off in production', 'on, off, or empty', v.picklist(['', 'on', 'off'])),
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
	visionModel: string | undefined;
	adminEmails: readonly string[];
	corsOrigins: readonly string[];
	hasHarness: boolean;
	logLevel: string;
	isLoopback: boolean;
}>;

export class ConfigError extends Error {
	override readonly name = 'ConfigError';
}

/** Every setting is read, whether it is used or not: a wrong one ends the start. */
export function readConfig(env: Record<string, string | undefined>): Config {
	const values = readValues(env);
	const { HOST: host, GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret } = values;
	const isLoopback = isLoopbackHost(host);
	if (Boolean(clientId) !== Boolean(clientSecret)) {
		throw new ConfigError('GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together: set both or neither.');
	}
	if (!isLoopback && !clientId) {
		throw new ConfigError(
			`HOST is ${JSON.stringify(host)}, which others can reach, but no sign-in is configured: set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET, or HOST=127.0.0.1.`
		);
	}
	const provider = providerOf(values);
	if (values.VISION_MODEL && !provider) {
		throw new ConfigError(
			'VISION_MODEL needs a provider: set OPENAI_API_KEY or OPENAI_BASE_URL, or leave it empty.'
		);
	}
	return Object.freeze({
		host,
		port: values.PORT,
		origin: values.ORIGIN ? new URL(values.ORIGIN).origin : undefined,
		dataDir: path.resolve(values.DATA_DIR),
		workerConcurrency: values.WORKER_CONCURRENCY,
		maxFileBytes: values.MAX_FILE_BYTES,
		userQuotaBytes: values.USER_QUOTA_BYTES,
		heartbeatSeconds: values.HEARTBEAT_SECONDS,
		oidc: clientId ? { issuer: values.OIDC_ISSUER, clientId, clientSecret } : undefined,
		provider,
		visionModel: values.VISION_MODEL || undefined,
		adminEmails: values.ADMIN_EMAILS,
		corsOrigins: values.CORS_ORIGINS,
		hasHarness: values.HARNESS ? values.HARNESS === 'on' : env.NODE_ENV !== 'production',
		logLevel: values.LOG_LEVEL,
		isLoopback
	});
}

export function isLoopbackHost(host: string): boolean {
	const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
	if (bare === 'localhost' || bare === '::1') return true;
	return isIP(bare) === 4 && bare.startsWith('127.');
}

type Values = { [Name in keyof typeof settings]: v.InferOutput<(typeof settings)[Name]['parse']> };

function readValues(env: Record<string, string | undefined>): Values {
	const read = Object.entries(settings).map(([name, { default: usual, allowed, parse }]) => {
		const value = env[name]?.trim() || usual;
		const result = v.safeParse<v.GenericSchema<string, unknown>>(parse, value);
		if (result.success) return [name, result.output];
		// A secret never reaches a log, not even a wrong one.
		const shown = /SECRET|KEY/.test(name) ? '(hidden)' : JSON.stringify(value);
		throw new ConfigError(`${name} is ${shown}; allowed: ${allowed}.`);
	});
	return Object.fromEntries(read);
}

function providerOf(values: Values): Config['provider'] {
	const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl, EMBEDDING_DIMENSIONS: dimensions } = values;
	if (!apiKey && baseUrl === settings.OPENAI_BASE_URL.default) return undefined;
	return {
		apiKey: apiKey || 'none',
		baseUrl,
		model: values.EMBEDDING_MODEL,
		dimensions: dimensions === '' ? undefined : dimensions
	};
}

function isPlainOrigin(value: string): boolean {
	if (!URL.canParse(value)) return false;
	const { pathname, search, hash, username } = new URL(value);
	return pathname === '/' && search === '' && hash === '' && username === '';
}

function s<T extends v.GenericSchema<string, unknown>>(
	value: string,
	about: string,
	allowed: string,
	parse: T
) {
	return { default: value, about, allowed, parse };
}
