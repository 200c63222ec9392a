import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { multipartEnd, multipartType, partHead } from '../../../../tests/support/multipart.ts';

const mebibyte = 1024 ** 2;
/** UPLOAD_MEBIBYTES=1024 for the whole gibibyte that the product promises. */
const mebibytes = Number(process.env.UPLOAD_MEBIBYTES ?? 300);

it(`receives ${mebibytes} MiB in less than 150 MiB of memory`, { timeout: 120_000 }, async () => {
	const child = fork(new URL('../../../../tests/support/upload-server.ts', import.meta.url), {
		execArgv: []
	});
	try {
		const [{ port }] = await once(child, 'message');
		const url = `http://127.0.0.1:${port}/`;
		await send(url, 20);
		await peak(url);
		const before = await peak(url);
		expect(await send(url, mebibytes)).toBe(201);
		const growth = Math.round(((await peak(url)) - before) / mebibyte);
		process.stdout.write(`upload of ${mebibytes} MiB: peak memory grew by ${growth} MiB\n`);
		expect(growth).toBeLessThan(150);
	} finally {
		child.disconnect();
		await once(child, 'exit');
	}
});

async function send(url: string, size: number): Promise<number | undefined> {
	const sending = request(url, { method: 'POST', headers: { 'content-type': multipartType } });
	const answered = once(sending, 'response');
	await pipeline(Readable.from(body(size)), sending);
	const [response] = await answered;
	response.resume();
	return response.statusCode;
}

function* body(size: number): Generator<string | Buffer> {
	yield partHead({ filename: 'long.txt' });
	const line = Buffer.alloc(mebibyte, `${size} of the same words again and again\n`);
	for (let i = 0; i < size; i++) yield line;
	yield `\r\n${multipartEnd}`;
}

async function peak(url: string): Promise<number> {
	return Number(await (await fetch(url)).text());
}
