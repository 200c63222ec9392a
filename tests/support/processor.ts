// Asura's side of an external processor, with the processor itself, a double, in the hands of the test.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { expect } from 'vitest';
import { createBell } from '#lib/server/files/bell.ts';
import { silentLog } from '#lib/server/log.ts';
import { createProcessor } from '#lib/server/processor/processor.ts';
import {
	type ProcessingJob,
	ProcessingReportJson,
	type ReportResult
} from '#lib/shared/processing-report.ts';
import { eventually } from './eventually.ts';
import { openTestFiles } from './files.ts';
import { lookAt, makePipeline } from './pipeline.ts';
import { makeEmbedder, makeStages } from './stages.ts';

export const key = 'a shared secret of both sides';
export const timeoutSeconds = 2;

type Call = { run?: string; headers?: Record<string, string>; address?: string; message?: string };
type Answer = (response: ServerResponse, job: ProcessingJob) => void | Promise<void>;
export type ProcessorTest = Awaited<ReturnType<typeof openProcessorTest>>;

export async function openProcessorTest() {
	const jobs: { job: ProcessingJob; headers: IncomingHttpHeaders }[] = [];
	const usual: Answer = (response) => void response.writeHead(202).end();
	const service = createServer((request, response) => {
		void json(request).then((body) => {
			const job = body as ProcessingJob;
			jobs.push({ job, headers: request.headers });
			return outside.answer(response, job);
		});
	});
	await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
	const test = await openTestFiles();
	const { port } = service.address() as AddressInfo;
	const open = () =>
		createProcessor({
			...test.platform,
			bell: createBell({ db: test.platform.db, log: silentLog }),
			wake: test.queue.wake,
			content: test.files.content,
			config: {
				types: ['audio/*'],
				url: `http://127.0.0.1:${port}/jobs`,
				key,
				timeoutSeconds,
				ownOrigin: 'http://asura.test'
			}
		});
	const processor = open();
	await test.queue.work(makePipeline(test, { stages: makeStages(), embedder: makeEmbedder(), processor }));
	const ada = await test.platform.addUser();

	const outside = {
		...test,
		ada,
		look: lookAt(test, ada),
		processor,
		/** As after a restart of this process. */
		reopen: open,
		jobs,
		/** 202 unless a test says otherwise. */
		answer: usual,
		reset: () => void (outside.answer = usual),

		addSound: () =>
			test.addFile(ada, `sound ${randomUUID()}`, { filename: 'talk.mp3', fileType: 'audio/mpeg' }),

		/** The newest job of a file, when it has come. */
		jobOf: (id: string): Promise<ProcessingJob> =>
			eventually(() => {
				const found = jobs.findLast(({ job }) => job.documentId === id);
				if (!found) throw new Error('The file has not been handed over yet.');
				return found.job;
			}),

		/** A file that the processor has been given, with its job. */
		async handOver(): Promise<{ id: string; job: ProcessingJob }> {
			const { id } = await outside.addSound();
			return { id, job: await outside.jobOf(id) };
		},

		/** As the route does it. */
		async reportRaw(
			body: string,
			{ run, headers = { 'x-webhook-key': key }, address = '10.0.0.1' }: Call = {}
		): Promise<ReportResult> {
			const read = async () => body;
			const admitted = await processor.admit({ headers: new Headers(headers), address, read });
			return processor.report(v.parse(ProcessingReportJson, admitted), run);
		},

		report: (documentId: string, status: string, metadata: object = {}, call: Call = {}) =>
			outside.reportRaw(JSON.stringify({ documentId, status, message: call.message ?? '', metadata }), call),

		fetchFrom({ download_url }: ProcessingJob) {
			const [run = '', expires = '', signature = ''] = download_url.split('/').slice(-3);
			return processor.download({ run, expires, signature }, new Headers());
		},

		async close() {
			service.close();
			await test.close();
		}
	};
	return outside;
}

export function runOf({ callback_url }: ProcessingJob): string {
	return new URL(callback_url).searchParams.get('run') ?? '';
}

export function coded(code: string): unknown {
	return expect.objectContaining({ code });
}
