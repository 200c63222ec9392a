// An external processor as the operator runs it: the example of the docs as its own process, beside the built server.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';
import { aTusPerson } from './tus-person.ts';

const key = 'a shared secret of both sides';
const port = await freePort();
const processorPort = await freePort();
let server: TestServer;
let ada: Person;
let count = 0;

const env = {
	PORT: String(port),
	PROCESSOR_TYPES: 'audio/*',
	PROCESSOR_URL: `http://127.0.0.1:${processorPort}/jobs`,
	PROCESSOR_KEY: key,
	PROCESSOR_TIMEOUT_SECONDS: '5',
	TRUSTED_PROXIES: '127.0.0.1'
};

beforeAll(async () => {
	server = await startServer(env);
	ada = await enter(server);
});
afterAll(() => server.dispose());

async function freePort(): Promise<number> {
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const { port } = probe.address() as AddressInfo;
	probe.close();
	return port;
}

async function startProcessor(pauseMs = 0): Promise<ChildProcess> {
	const child = spawn(process.execPath, ['docs/examples/processor/processor.mjs'], {
		env: { PROCESSOR_KEY: key, PORT: String(processorPort), PAUSE_MS: String(pauseMs) },
		stdio: ['ignore', 'pipe', 'inherit']
	});
	onTestFinished(() => end(child));
	await once(child.stdout ?? child, 'data');
	return child;
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await once(child, 'exit');
}

/** A second of sound, with words in it that a person would not hear. */
function makeSound(words: string, bytes = 16_000): Buffer {
	const samples = Buffer.alloc(bytes);
	samples.write(`${words} number ${++count}`, 4000, 'latin1');
	const header = Buffer.alloc(44);
	header.write('RIFF');
	header.writeUInt32LE(36 + samples.length, 4);
	header.write('WAVEfmt ', 8);
	header.writeUInt32LE(16, 16);
	header.writeUInt16LE(1, 20);
	header.writeUInt16LE(1, 22);
	header.writeUInt32LE(8000, 24);
	header.writeUInt32LE(16_000, 28);
	header.writeUInt16LE(2, 32);
	header.writeUInt16LE(16, 34);
	header.write('data', 36);
	header.writeUInt32LE(samples.length, 40);
	return Buffer.concat([header, samples]);
}

const found = async (word: string) =>
	(await (await ada.ask(`/api/search?q=${word}`)).json()).results.map(
		({ file }: { file: { filename: string } }) => file.filename
	);

it('sound that Asura cannot read is taken, read by the processor, and found', async () => {
	await startProcessor();
	const file = await ada.add('talk.wav', makeSound('uniqueharbour'));
	expect(file.file_type).toBe('audio/wav');
	const [ended] = await ada.ended([file.id]);
	expect(ended).toMatchObject({ status: 'completed', progress: 100, warnings: [], chunk_count: 1 });
	expect(await found('uniqueharbour')).toEqual(['talk.wav']);
	const text = await (await ada.ask(`/api/files/${file.id}/content?variant=text`)).text();
	expect(text).toContain('uniqueharbour');
});

it('is taken as well when it comes in several requests', async () => {
	await startProcessor();
	const tus = aTusPerson(ada);
	const sound = makeSound('uniquefoghorn', 200_000);
	const url = await tus.begin({ size: sound.length, filename: 'long.wav' });
	await tus.patch(url, 0, sound.subarray(0, 100_000));
	const last = await tus.patch(url, 100_000, sound.subarray(100_000));
	const id = last.headers.get('asura-file-id') ?? '';
	expect(await ada.ended([id])).toMatchObject([{ status: 'completed', file_type: 'audio/wav' }]);
});

it('what neither of both can read is refused as before', async () => {
	const film = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypmp42'), Buffer.alloc(4000)]);
	const { status, body } = await ada.upload({ filename: 'film.mp4', content: film });
	expect([status, body.code]).toEqual([415, 'file.unsupported_type']);
});

it('a processor killed in the middle is found out by its silence, and a retry with a new one succeeds', async () => {
	const first = await startProcessor(60_000);
	const taken = once(first.stdout ?? first, 'data');
	const file = await ada.add('killed.wav', makeSound('uniquelantern'));
	expect(String(await taken)).toContain(`${file.id}: taken`);
	await end(first);
	const [silent] = await ada.ended([file.id], 20_000);
	expect(silent).toMatchObject({ status: 'failed', error_code: 'processor.silent' });
	await startProcessor();
	await ada.ask(`/api/files/${file.id}/retry`, { method: 'POST' });
	const [again] = await ada.ended([file.id], 20_000);
	expect(again).toMatchObject({ status: 'completed', chunk_count: 1 });
	expect(await found('uniquelantern')).toEqual(['killed.wav']);
});

it('a kill -9 of the server while a file is outside loses nothing', { timeout: 90_000 }, async () => {
	const service = await startProcessor(1500);
	const taken = once(service.stdout ?? service, 'data');
	const file = await ada.add('server.wav', makeSound('uniquecompass'));
	await taken;
	// Wherever it is by then: what the service fetches or reports, it tries again.
	await server.kill();
	// The service comes back with growing pauses: how long we were away must not decide.
	server = await startServer({ ...env, PROCESSOR_TIMEOUT_SECONDS: '60', DATA_DIR: server.dataDir });
	const [ended] = await ada.ended([file.id], 60_000);
	expect(ended).toMatchObject({ status: 'completed', chunk_count: 1 });
	expect(await found('uniquecompass')).toEqual(['server.wav']);
});

it('answers its callers with the status that fits, and takes no more than it says', async () => {
	const call = (body: string, headers: Record<string, string> = { 'x-webhook-key': key }) =>
		fetch(new URL('/api/v1/events/webhook/document-processing', server.url), {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...headers },
			body
		});
	const told = async (answer: Response) => `${answer.status} ${(await answer.json()).code}`;
	// As seed services test it by hand.
	const unknown = '{"documentId":"test","status":"embedded","message":"Test"}';
	expect(await told(await call(unknown))).toBe('404 file.not_found');
	expect(await told(await call(unknown, {}))).toBe('401 processor.refused');
	expect(await told(await call(unknown, { 'x-webhook-key': 'a guess' }))).toBe('401 processor.refused');
	expect(await told(await call('{}'))).toBe('400 request.invalid');
	const text = (bytes: number) =>
		JSON.stringify({ ...JSON.parse(unknown), metadata: { text: 'x'.repeat(bytes) } });
	expect(await told(await call(text(8 * 1024 ** 2)))).toBe('413 request.too_large');
	expect(await told(await call(text(7 * 1024 ** 2)))).toBe('404 file.not_found');
	const link = await fetch(new URL('/api/v1/processor/a/1/b', server.url));
	expect(await told(link)).toBe('404 request.not_found');
});

it('counts who guesses the key by their own address, not by that of the proxy between', async () => {
	const guess = (from: string) =>
		fetch(new URL('/api/v1/events/webhook/document-processing', server.url), {
			method: 'POST',
			headers: { 'x-webhook-key': 'a guess', 'x-forwarded-for': from },
			body: '{}'
		});
	const answers = await Promise.all(Array.from({ length: 40 }, () => guess('198.51.100.1')));
	expect(answers.map(({ status }) => status)).toContain(429);
	expect((await guess('198.51.100.2')).status).toBe(401);
});
