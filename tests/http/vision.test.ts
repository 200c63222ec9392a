// A scan through the whole server, which dies in the middle of it.
import { createHash } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makePdf } from '../support/make-files.ts';
import { type ProviderDouble, startProviderDouble } from '../support/provider.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter } from './person.ts';

let provider: ProviderDouble | undefined;
let server: TestServer | undefined;

afterAll(async () => {
	await server?.dispose();
	await provider?.close();
});

it('a scan is read on after a crash: at most the two pages in flight are paid again', async () => {
	let answers = 0;
	const double = await startProviderDouble({
		// From the fifth on nobody answers, until the server is dead.
		describe: ({ picture }) => {
			if (++answers === 5) double.failWhen(() => ({ kind: 'hang' }));
			return Promise.resolve({ content: `The word${createHash('sha256').update(picture).digest('hex')}` });
		}
	});
	provider = double;
	const env = { OPENAI_BASE_URL: double.url, EMBEDDING_DIMENSIONS: '64', VISION_MODEL: 'seer' };
	server = await startServer(env);
	const { id } = await (
		await enter(server)
	).add('scan.pdf', makePdf([...'012345'].map((n) => ' '.repeat(+n))));
	await eventually(() => expect(double.calls.some(({ fault }) => fault === 'hang')).toBe(true), {
		timeoutMs: 20_000
	});
	await server.kill();
	double.failWhen(undefined);
	server = await startServer({ ...env, DATA_DIR: server.dataDir });
	const ada = await enter(server);
	const [file] = await ada.ended([id], 60_000);
	expect(file).toMatchObject({ status: 'completed', page_count: 6, chunk_count: 6, warnings: [] });
	const pictures = double.looks.map(({ picture }) => picture.toString('base64'));
	expect(new Set(pictures).size).toBe(6);
	expect(pictures.length).toBeLessThanOrEqual(8);
	expect(pictures.filter((one) => one === pictures[0])).toHaveLength(1);
}, 120_000);
