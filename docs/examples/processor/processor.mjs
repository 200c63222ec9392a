// A processor for Asura (docs/processors.md): takes a job, fetches the file, reads it, reports. No dependencies.
//
//   PROCESSOR_KEY=<the shared secret> PORT=9000 node docs/examples/processor/processor.mjs
//   PROCESSOR_URL=http://127.0.0.1:9000/jobs PROCESSOR_TYPES='audio/*' PROCESSOR_KEY=<the same> npm start
//
// Put your transcription, OCR or whatever it is in the place of `readStrings`, which only finds the words that stand in
// the bytes of any file.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const key = process.env.PROCESSOR_KEY ?? '';
const pauseMs = Number(process.env.PAUSE_MS ?? 0);
/** More than one report a second for one file, and Asura answers 429. */
const tellEveryMs = 2000;
if (key.length < 16)
	throw new Error('Set PROCESSOR_KEY to the secret that Asura has, of at least 16 characters.');

/** What is being worked on. A job that comes again takes the place of the one before. */
const jobs = new Map();

const server = createServer(async (request, response) => {
	if (request.method !== 'POST' || request.url !== '/jobs') return response.writeHead(404).end();
	if (!isSame(request.headers['x-webhook-key'] ?? '', key)) return response.writeHead(401).end();
	const job = await json(request).catch(() => undefined);
	if (!job?.documentId) return response.writeHead(400).end();
	jobs.get(job.documentId)?.abort();
	const controller = new AbortController();
	jobs.set(job.documentId, controller);
	// Taken. Everything else is reported.
	response.writeHead(202).end(() => process.stdout.write(`${job.documentId}: taken\n`));
	work(job, controller.signal)
		.catch((error) => process.stderr.write(`${job.documentId}: ${error.message}\n`))
		.finally(() => jobs.get(job.documentId) === controller && jobs.delete(job.documentId));
});
server.listen(Number(process.env.PORT ?? 9000), process.env.HOST ?? '127.0.0.1', () =>
	process.stdout.write(`ready at http://${server.address().address}:${server.address().port}/jobs\n`)
);

async function work(job, signal) {
	try {
		await report(job, 'parsing_started', { signal });
		const pages = [];
		let done = 0;
		let toldAt = 0;
		for await (const chunk of bytesOf(job, signal)) {
			pages.push(...readStrings(chunk));
			done += chunk.length;
			await delay(pauseMs, undefined, { signal });
			if (Date.now() - toldAt < tellEveryMs) continue;
			toldAt = Date.now();
			// Also a sign of life: without any, Asura gives the file up after PROCESSOR_TIMEOUT_SECONDS.
			await report(job, 'parsing', { signal, metadata: { progress: (100 * done) / job.size_bytes } });
		}
		await delay(pauseMs, undefined, { signal });
		await report(job, 'parsed', { signal, metadata: { text: pages.join('\n') } });
	} catch (error) {
		if (signal.aborted) return;
		if (error instanceof NotHeard) throw error;
		await report(job, 'failed', { signal, message: error.message });
	}
}

/** The whole file; after a broken line from where it broke. */
async function* bytesOf({ download_url: url, size_bytes: size }, signal) {
	let done = 0;
	let reason = '';
	for (let tries = 0; tries < 8; tries++) {
		try {
			const answer = await fetch(url, { headers: { range: `bytes=${done}-` }, signal });
			// Asura that restarts says 5xx, or a proxy before it does; anything else stays as it is.
			if (answer.status < 500 && answer.status !== 206) throw new Refused(`it answered ${answer.status}`);
			if (answer.status !== 206) throw new Error(`it answered ${answer.status}`);
			for await (const chunk of answer.body) {
				tries = 0;
				done += chunk.length;
				yield chunk;
			}
			if (done >= size) return;
			reason = 'it broke off';
		} catch (error) {
			signal.throwIfAborted();
			reason = error.message;
			if (error instanceof Refused) break;
		}
		await delay(pauseAfter(tries), undefined, { signal });
	}
	throw new Error(`the file cannot be fetched: ${reason}`);
}
class Refused extends Error {}

/** Asura does not want to hear it, or could not for an hour: nothing that another report would mend. */
class NotHeard extends Error {}

/** Tried again until Asura has heard it, or says that it does not want to: it may be starting anew. */
async function report(job, status, { signal, message = '', metadata = {} }) {
	const body = JSON.stringify({ documentId: job.documentId, status, message, metadata });
	const givenUpAt = Date.now() + 3_600_000;
	for (let tries = 0; Date.now() < givenUpAt; tries++) {
		const answer = await fetch(job.callback_url, {
			method: 'POST',
			headers: headersFor(body),
			body,
			signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)])
		}).catch(() => undefined);
		signal.throwIfAborted();
		if (answer?.ok) return;
		// Cancelled, deleted or begun anew; or we did something wrong, which another try does not mend.
		if (answer && answer.status < 500 && answer.status !== 429)
			throw new NotHeard(`${status}: ${answer.status} ${await answer.text()}`);
		await delay(pauseAfter(tries), undefined, { signal });
	}
	throw new NotHeard(`${status}: Asura cannot be reached`);
}

function pauseAfter(tries) {
	return Math.min(30_000, 500 * 2 ** tries);
}

function headersFor(body) {
	const timestamp = String(Math.floor(Date.now() / 1000));
	const signature = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
	return {
		'content-type': 'application/json',
		'x-webhook-key': key,
		'x-webhook-timestamp': timestamp,
		'x-webhook-signature': `sha256=${signature}`
	};
}

function isSame(given, right) {
	const [a, b] = [given, right].map((text) => createHmac('sha256', 'compare').update(text).digest());
	return timingSafeEqual(a, b);
}

function readStrings(bytes) {
	return (
		Buffer.from(bytes)
			.toString('latin1')
			.match(/[\x20-\x7e]{6,}/g) ?? []
	);
}
