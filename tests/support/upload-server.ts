// A process that does nothing but receive uploads, so that a test can see how much memory that takes. It keeps no rows:
// a database in the same process gives back hundreds of MiB whenever it likes.
// GET answers with its peak in bytes since the last GET. (The process's own peak would be that of its start.)
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import { toAppError } from '#lib/server/errors.ts';
import { openDiskBlobs } from '#lib/server/platform/embedded/disk-blobs.ts';
import { createRoom } from '#lib/server/room.ts';
import { createUploads } from '#lib/server/uploads/uploads.ts';
import { aFile } from './a-file.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
const uploads = createUploads({
	blobs: await openDiskBlobs(folder),
	files: {
		add: async (file) => ({ file: aFile({ size_bytes: file.sizeBytes }), isDuplicate: true, cursor: '' }),
		usedBytes: async () => 0
	},
	config: { maxFileBytes: 2 ** 32, userQuotaBytes: 2 ** 40 },
	metrics: createMetrics(),
	room: createRoom(folder),
	log: silentLog
});

let peak = 0;
setInterval(() => {
	peak = Math.max(peak, process.memoryUsage.rss());
}, 5).unref();

const server = createServer((request, response) => {
	if (request.method === 'GET') {
		response.end(String(peak));
		peak = process.memoryUsage.rss();
		return;
	}
	const contentType = request.headers['content-type'] ?? null;
	const { signal } = new AbortController();
	uploads.receive({ userId: 'ada', body: request, contentType, signal }).then(
		(answer) => response.writeHead(201).end(JSON.stringify(answer)),
		(error: unknown) => response.writeHead(toAppError(error).status).end(toAppError(error).code)
	);
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.once('disconnect', () => {
	server.closeAllConnections();
	server.close(() => void rm(folder, { recursive: true }));
});
