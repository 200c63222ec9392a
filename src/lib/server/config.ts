// The one table of settings: name, schema, default, words. readConfig is pure; its callers in cli/ are the only
// readers of process.env. `npm run check` holds the README's table against this one.
import { isIP } from 'node:net';
import path from 'node:path';
import ipaddr from 'ipaddr.js';
import * as v from 'valibot';

type Setting = { default: string; about: string; allowed: string; parse: v.GenericSchema<string, unknown> };

const text = v.pipe(v.string(), v.trim());
const url = v.pipe(text, v.url(), v.regex(/^https?:\/\//i));
const email = v.pipe(text, v.toLowerCase(), v.regex(/^[^\s@]+@[^\s@]+$/));
const whole = (min: number, max = Number.MAX_SAFE_INTEGER) =>
	v.pipe(text, v.regex(/^\d+$/), v.transform(Number), v.minValue(min), v.maxValue(max));
const mediaTypes = v.pipe(
	text,
	v.toLowerCase(),
	v.transform((value) =>
		value
			.split(',')
			.map((one) => one.trim())
			.filter(Boolean)
	),
	v.array(v.pipe(v.string(), v.regex(/^[a-z0-9.+-]+\/(\*|[a-z0-9.+-]+)$/)))
);
const or = <T extends v.GenericSchema<string, unknown>>(parse: T) => v.union([v.literal(''), parse]);
const list = v.pipe(
	text,
	v.transform((value) => value.split(',').flatMap((one) => one.trim() || []))
);
const emails = v.pipe(list, v.array(email));
const allowed = v.pipe(list, v.array(v.pipe(v.string(), v.toLowerCase(), v.regex(/^[^\s@]*@[^\s@]+$/))));
const proxies = v.pipe(
	list,
	v.array(
		v.pipe(
			v.string(),
			v.check((one) => ipaddr.isValidCIDR(one) || isIP(one) !== 0)
		)
	)
);
const plainOrigin = v.pipe(url, v.check(isPlainOrigin));
const origins = v.pipe(
	list,
	v.array(
		v.union([
			v.literal('*'),
			v.pipe(
				plainOrigin,
				v.transform((one) => new URL(one).origin)
			)
		])
	)
);

// prettier-ignore
export const settings = {
	HOST: s('127.0.0.1', 'address to listen on; beyond loopback a sign-in must be configured', 'an address or host name', v.pipe(text, v.minLength(1))),
	PORT: s('3000', 'port to listen on; 0 takes a free one', '0 to 65535', whole(0, 65_535)),
	ORIGIN: s('', "the address people use, e.g. `https://files.example.org`; needed behind a proxy", 'http:// or https:// and a host, without a path', or(plainOrigin)),
	DATA_DIR: s('./.data', 'where database and files are kept', 'a folder', v.pipe(text, v.minLength(1))),
	ROLE: s('all', 'what this process does: take requests, process files, or both; other than `all` needs `DATABASE_URL`', 'all, web or worker', v.picklist(['all', 'web', 'worker'])),
	DATABASE_URL: s('', 'a Postgres of yours instead of the built-in one: a direct connection or a session pooler', 'a postgres:// address, or empty', or(v.pipe(text, v.url(), v.regex(/^postgres(ql)?:\/\//i)))),
	DATABASE_CONNECTIONS: s('10', 'connections to it for statements; each process has two more', '2 to 200', whole(2, 200)),
	DATABASE_WAIT_SECONDS: s('60', 'how long a start waits for a database that cannot be reached', '0 to 3600', whole(0, 3600)),
	SUPABASE_URL: s('', 'a Supabase project for files and sign-in; needs the two keys and `DATABASE_URL`', 'an http:// or https:// address, or empty', or(url)),
	SUPABASE_PUBLISHABLE_KEY: s('', 'its publishable key', 'a text', text),
	SUPABASE_SECRET_KEY: s('', 'its secret key', 'a text', text),
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
	CHAT_MODEL: s('', 'model of the same provider that names the topics of projects, from words and passages of their files, which are sent to it; empty: their own words name them', 'a text, or empty', text),
	ALLOWED_EMAILS: s('', 'who may sign in with the provider, separated by commas: addresses, or `@example.org` for all of a domain; empty: everybody whom it admits', 'e-mail addresses or @domains', allowed),
	ADMIN_EMAILS: s('', 'who may use operator functions, separated by commas; embedded: also the person on the machine itself', 'e-mail addresses', emails),
	TRUSTED_PROXIES: s('', 'proxies whose `X-Forwarded-For` is believed, separated by commas: addresses or networks, e.g. `127.0.0.1, 10.0.0.0/8`', 'addresses or networks', proxies),
	REQUESTS_PER_MINUTE: s('6000', 'of one person, and of one address that is not signed in, at each process; 0: no limit', '0 to 1000000', whole(0, 1_000_000)),
	OTEL_EXPORTER_OTLP_ENDPOINT: s('', 'where traces are sent (OTLP over HTTP), e.g. `http://localhost:4318`; empty: none are made', 'an http:// or https:// address, or empty', or(url)),
	CORS_ORIGINS: s('', 'other origins whose pages may use the API, separated by commas; `*`: any, without cookies', 'http:// or https:// and a host, without a path; or *', origins),
	HARNESS: s('', 'the page `/harness`, which shows the live stream at work; empty: on in development, off in production', 'on, off, or empty', v.picklist(['', 'on', 'off'])),
	PROCESSOR_TYPES: s('', 'types of files that go to an external processor instead of being read here ([docs](docs/processors.md)), e.g. `audio/*,video/mp4`', 'media types, separated by commas', mediaTypes),
	PROCESSOR_URL: s('', 'where the processor takes jobs', 'an http:// or https:// address', or(url)),
	PROCESSOR_KEY: s('', 'the secret that it shares with Asura', 'at least 16 characters', or(v.pipe(text, v.minLength(16)))),
	PROCESSOR_TIMEOUT_SECONDS: s('600', 'longest time without a report of it', '5 to 1500', whole(5, 1500)),
	WEBHOOK_ALLOW_PRIVATE: s('off', 'whether webhooks may lead to private and loopback addresses and need no https', 'on or off', v.picklist(['on', 'off'])),
	LOG_LEVEL: s('info', 'how much is logged', 'debug, info, warn, error or silent', v.picklist(['debug', 'info', 'warn', 'error', 'silent']))
} satisfies Record<string, Setting>;

export type Config = Readonly<{
	host: string;
	port: number;
	origin: string | undefined;
	dataDir: string;
	role: 'all' | 'web' | 'worker';
	/** undefined: the built-in database. */
	databaseUrl: string | undefined;
	databaseConnections: number;
	databaseWaitSeconds: number;
	supabase: Readonly<{ url: string; publishableKey: string; secretKey: string }> | undefined;
	workerConcurrency: number;
	maxFileBytes: number;
	userQuotaBytes: number;
	heartbeatSeconds: number;
	oidc: Readonly<{ issuer: string; clientId: string; clientSecret: string }> | undefined;
	provider:
		Readonly<{ apiKey: string; baseUrl: string; model: string; dimensions: number | undefined }> | undefined;
	visionModel: string | undefined;
	chatModel: string | undefined;
	/** Addresses and @domains; empty: everybody. */
	allowedEmails: readonly string[];
	adminEmails: readonly string[];
	trustedProxies: readonly string[];
	requestsPerMinute: number;
	tracesUrl: string | undefined;
	corsOrigins: readonly string[];
	processor: ProcessorConfig | undefined;
	webhooks: Readonly<{ allowPrivate: boolean }>;
	hasHarness: boolean;
	logLevel: string;
	isLoopback: boolean;
}>;

/** The service that reads files of some types for us. */
export type ProcessorConfig = Readonly<{
	/** Media types; `audio/*` stands for all of its kind. */
	types: readonly string[];
	url: string;
	key: string;
	timeoutSeconds: number;
	/** Where it reaches us. */
	ownOrigin: string;
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
	const supabase = supabaseOf(values);
	if (values.ROLE !== 'all' && !values.DATABASE_URL) {
		throw new ConfigError(
			`ROLE is ${values.ROLE}, which needs DATABASE_URL: the built-in database has one process.`
		);
	}
	// Nobody signs in at a worker: it answers for its health only.
	if (!isLoopback && !clientId && !supabase && values.ROLE !== 'worker') {
		throw new ConfigError(
			`HOST is ${JSON.stringify(host)}, which others can reach, but no sign-in is configured: set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET (or a Supabase project), or HOST=127.0.0.1.`
		);
	}
	const provider = providerOf(values);
	for (const name of ['VISION_MODEL', 'CHAT_MODEL'] as const) {
		if (!values[name] || provider) continue;
		throw new ConfigError(
			`${name} needs a provider: set OPENAI_API_KEY or OPENAI_BASE_URL, or leave it empty.`
		);
	}
	return Object.freeze({
		host,
		port: values.PORT,
		origin: values.ORIGIN ? new URL(values.ORIGIN).origin : undefined,
		dataDir: path.resolve(values.DATA_DIR),
		role: values.ROLE,
		databaseUrl: values.DATABASE_URL || undefined,
		databaseConnections: values.DATABASE_CONNECTIONS,
		databaseWaitSeconds: values.DATABASE_WAIT_SECONDS,
		supabase,
		workerConcurrency: values.WORKER_CONCURRENCY,
		maxFileBytes: values.MAX_FILE_BYTES,
		userQuotaBytes: values.USER_QUOTA_BYTES,
		heartbeatSeconds: values.HEARTBEAT_SECONDS,
		oidc: clientId ? { issuer: values.OIDC_ISSUER, clientId, clientSecret } : undefined,
		provider,
		visionModel: values.VISION_MODEL || undefined,
		chatModel: values.CHAT_MODEL || undefined,
		allowedEmails: values.ALLOWED_EMAILS,
		adminEmails: values.ADMIN_EMAILS,
		trustedProxies: values.TRUSTED_PROXIES,
		requestsPerMinute: values.REQUESTS_PER_MINUTE,
		tracesUrl: values.OTEL_EXPORTER_OTLP_ENDPOINT || undefined,
		corsOrigins: values.CORS_ORIGINS,
		processor: processorOf(values, isLoopback),
		webhooks: Object.freeze({ allowPrivate: values.WEBHOOK_ALLOW_PRIVATE === 'on' }),
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
		const shown = /SECRET|KEY|DATABASE_URL/.test(name) ? '(hidden)' : JSON.stringify(value);
		throw new ConfigError(`${name} is ${shown}; allowed: ${allowed}.`);
	});
	return Object.fromEntries(read);
}

function supabaseOf(values: Values): Config['supabase'] {
	const {
		SUPABASE_URL: url,
		SUPABASE_PUBLISHABLE_KEY: publishableKey,
		SUPABASE_SECRET_KEY: secretKey
	} = values;
	if (!url && !publishableKey && !secretKey) return undefined;
	if (url && publishableKey && secretKey && values.DATABASE_URL) return { url, publishableKey, secretKey };
	throw new ConfigError(
		'SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY and DATABASE_URL belong together: set all four, or none of the first three.'
	);
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

function processorOf(values: Values, isLoopback: boolean): ProcessorConfig | undefined {
	const { PROCESSOR_TYPES: types, PROCESSOR_URL: url, PROCESSOR_KEY: key, ORIGIN: origin } = values;
	if (types.length === 0 && !url && !key) return undefined;
	if (types.length === 0 || !url || !key) {
		throw new ConfigError(
			'PROCESSOR_TYPES, PROCESSOR_URL and PROCESSOR_KEY belong together: set all of them or none.'
		);
	}
	if (!origin && (!isLoopback || values.PORT === 0 || values.ROLE !== 'all')) {
		throw new ConfigError('PROCESSOR_URL needs ORIGIN: the processor has to know where it reaches Asura.');
	}
	const host = values.HOST.includes(':') ? `[${values.HOST.replace(/^\[|\]$/g, '')}]` : values.HOST;
	const ownOrigin = new URL(origin || `http://${host}:${values.PORT}`).origin;
	return Object.freeze({ types, url, key, timeoutSeconds: values.PROCESSOR_TIMEOUT_SECONDS, ownOrigin });
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
