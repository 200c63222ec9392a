// From files to topics to tags, over HTTP, with the real stages and the thread that looks for topics.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Proposal } from '#lib/shared/projects.ts';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { addTo, begin, codeOf, type Colleague, enterAs, join, send } from './project-people.ts';

let server: TestServer;
let ada: Colleague;
let bob: Colleague;

beforeAll(async () => {
	server = await startServer();
	ada = await enterAs(server, 'ada@localhost');
	bob = await enterAs(server, 'bob@localhost');
});
afterAll(() => server.dispose());

it(
	'files suggest topics, and accepted ones are tags that filter and search',
	{ timeout: 60_000 },
	async () => {
		const project = await begin(ada, 'Topics');
		await join(ada, project, bob, 'viewer');
		const at = `/api/projects/${project.id}`;
		await addTo(ada, project, 'one.txt', 'The quay wall was repaired. Everybody likes the quay wall.');
		await addTo(ada, project, 'two.txt', 'Cracks in the quay wall were found by divers.');
		await addTo(ada, project, 'three.txt', 'Minutes about the canteen, with divers present.');
		const proposals = async (): Promise<Proposal[]> =>
			(await (await bob.ask(`${at}/proposals`)).json()).proposals;
		const wall = await eventually(
			async () => {
				const found = (await proposals()).find(
					({ title, file_count }) => title === 'Quay wall' && file_count === 2
				);
				expect(found).toBeDefined();
				return found;
			},
			{ timeoutMs: 30_000 }
		);
		expect(wall?.passages.map(({ filename }) => filename).toSorted()).toEqual(['one.txt', 'two.txt']);
		const path = `${at}/proposals/${wall?.id}`;
		expect(await codeOf(send(bob, 'PATCH', path, { status: 'accepted' }))).toBe('403 project.forbidden');
		for (const body of [{}, { status: 'gone' }, { title: '' }])
			expect(await codeOf(send(ada, 'PATCH', path, body))).toBe('400 request.invalid');
		expect(await codeOf(send(ada, 'PATCH', path, { status: 'accepted', title: 'Quay' }))).toBe('200');

		const names = async (path: string, key: 'files' | 'results') => {
			const found = (await (await bob.ask(path)).json())[key] as {
				filename?: string;
				file?: { filename: string };
			}[];
			return found.map(({ filename, file }) => filename ?? file?.filename).toSorted();
		};
		expect(await names(`${at}/files?tag=quay`, 'files')).toEqual(['one.txt', 'two.txt']);
		expect(await names(`${at}/files?tag=nothing`, 'files')).toEqual([]);
		expect(await names(`/api/search?q=divers&project=${project.id}`, 'results')).toEqual([
			'three.txt',
			'two.txt'
		]);
		expect(await names(`/api/search?q=divers&tag=Quay`, 'results')).toEqual(['two.txt']);
		expect(await codeOf(send(ada, 'PATCH', path, { status: 'dismissed' }))).toBe('200');
		expect(await names(`${at}/files?tag=quay`, 'files')).toEqual([]);
	}
);
