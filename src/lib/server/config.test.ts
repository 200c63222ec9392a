import { describe, expect, it } from 'vitest';
import { isLoopbackHost, readConfig } from './config.ts';

describe('readConfig', () => {
	it('needs nothing: one machine, loopback, no provider', () => {
		const config = readConfig({});
		expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, isLoopback: true, heartbeatSeconds: 30 });
		expect(config.oidc).toBeUndefined();
		expect(config.provider).toBeUndefined();
		expect(Object.isFrozen(config)).toBe(true);
	});

	it('takes an empty or blank value for the default', () => {
		expect(readConfig({ PORT: '', HEARTBEAT_SECONDS: '  ' })).toMatchObject({
			port: 3000,
			heartbeatSeconds: 30
		});
	});

	it.each([
		['PORT', '70000', '0 to 65535'],
		['PORT', 'http', '0 to 65535'],
		['HEARTBEAT_SECONDS', '0', '1 to 300'],
		['MAX_FILE_BYTES', '-1', 'a number of bytes'],
		['ORIGIN', 'files.example.org', 'without a path'],
		['ORIGIN', 'https://files.example.org/asura', 'without a path'],
		['ORIGIN', 'ftp://files.example.org', 'http:// or https://'],
		['OIDC_ISSUER', 'accounts', 'an http:// or https:// address'],
		['OPENAI_BASE_URL', 'localhost:11434', 'an http:// or https:// address'],
		['EMBEDDING_DIMENSIONS', '9999', '1 to 4096, or empty'],
		['ADMIN_EMAILS', 'ada@example.org, nonsense', 'e-mail addresses'],
		['ALLOWED_EMAILS', 'ada@example.org, example.org', '@domains'],
		['TRUSTED_PROXIES', '10.0.0.0/8, proxy.local', 'addresses or networks'],
		['CORS_ORIGINS', 'https://app.example.org/path', 'without a path; or *'],
		['CORS_ORIGINS', 'https://app.example.org,null', 'without a path; or *'],
		['LOG_LEVEL', 'loud', 'debug, info']
	])('names variable, value and what is allowed: %s=%s', (name, value, allowed) => {
		const read = () => readConfig({ [name]: value });
		expect(read).toThrow(`${name} is ${JSON.stringify(value)}; allowed: `);
		expect(read).toThrow(allowed);
	});

	it('refuses half of a sign-in, and never shows the secret', () => {
		const read = () => readConfig({ GOOGLE_CLIENT_SECRET: 'very-secret' });
		expect(read).toThrow('belong together');
		expect(read).not.toThrow('very-secret');
	});

	it('refuses to be reached by others while nobody has to sign in', () => {
		expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow('no sign-in is configured');
		const signIn = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' };
		expect(readConfig({ HOST: '0.0.0.0', ...signIn }).isLoopback).toBe(false);
	});

	it('lets a worker be reached by others, since nobody signs in there', () => {
		const DATABASE_URL = 'postgres://localhost/asura';
		expect(readConfig({ HOST: '0.0.0.0', ROLE: 'worker', DATABASE_URL }).isLoopback).toBe(false);
		expect(() => readConfig({ HOST: '0.0.0.0', ROLE: 'web', DATABASE_URL })).toThrow('no sign-in');
	});

	it('takes a processor only whole, and only if it can reach us', () => {
		const whole = {
			PROCESSOR_TYPES: 'Audio/*, video/mp4',
			PROCESSOR_URL: 'http://127.0.0.1:9000/jobs',
			PROCESSOR_KEY: 'a secret of both sides'
		};
		expect(readConfig(whole).processor).toEqual({
			types: ['audio/*', 'video/mp4'],
			url: 'http://127.0.0.1:9000/jobs',
			key: 'a secret of both sides',
			timeoutSeconds: 600,
			ownOrigin: 'http://127.0.0.1:3000'
		});
		expect(readConfig({ ...whole, ORIGIN: 'https://a.example' }).processor?.ownOrigin).toBe(
			'https://a.example'
		);
		expect(() => readConfig({ ...whole, PROCESSOR_KEY: '' })).toThrow('belong together');
		expect(() => readConfig({ ...whole, PORT: '0' })).toThrow('needs ORIGIN');
		const DATABASE_URL = 'postgres://localhost/asura';
		expect(() => readConfig({ ...whole, ROLE: 'worker', DATABASE_URL })).toThrow('needs ORIGIN');
		const short = () => readConfig({ ...whole, PROCESSOR_KEY: 'short-secret' });
		expect(short).toThrow('PROCESSOR_KEY is (hidden); allowed: at least 16 characters');
		expect(() => readConfig({ ...whole, PROCESSOR_TYPES: 'sound' })).toThrow('media types');
		expect(readConfig({}).processor).toBeUndefined();
	});

	it('takes a vision model only with a provider that has it', () => {
		const VISION_MODEL = 'seer';
		expect(() => readConfig({ VISION_MODEL })).toThrow('VISION_MODEL needs a provider');
		expect(readConfig({ VISION_MODEL, OPENAI_API_KEY: 'key' }).visionModel).toBe('seer');
		expect(readConfig({ OPENAI_API_KEY: 'key' }).visionModel).toBeUndefined();
	});

	it('takes a provider at another address without a key', () => {
		expect(readConfig({ OPENAI_BASE_URL: 'http://localhost:11434/v1' }).provider).toEqual({
			apiKey: 'none',
			baseUrl: 'http://localhost:11434/v1',
			model: 'text-embedding-3-small',
			dimensions: undefined
		});
	});
});

it('knows the names of this machine', () => {
	expect(
		['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '::1', '[::1]'].filter(isLoopbackHost)
	).toHaveLength(6);
	expect(
		['0.0.0.0', '::', '127.0.0.1.example.org', '10.0.0.1', 'localhost.example.org'].filter(isLoopbackHost)
	).toEqual([]);
});
