// Debian's nginx in front of the server, made to buffer although the answers ask it not to.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from './eventually.ts';
import { removeFolder } from './remove-folder.ts';

export type Nginx = { origin: string; setBuffering(isOn: boolean): Promise<void>; close(): Promise<void> };

/** undefined where there is no nginx. */
export async function startNginx(target: string): Promise<Nginx | undefined> {
	const binary = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((file) => spawnSync(file, ['-v']).status === 0);
	if (!binary) return undefined;
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-nginx-'));
	const file = path.join(folder, 'nginx.conf');
	const port = await freePort();
	await writeFile(file, configuration(folder, port, target, true));
	const child = spawn(binary, ['-c', file, '-p', folder, '-e', 'stderr'], { stdio: 'ignore' });
	const origin = `http://127.0.0.1:${port}`;
	await eventually(async () => void (await fetch(`${origin}/healthz`)));
	return {
		origin,
		async setBuffering(isOn) {
			await writeFile(file, configuration(folder, port, target, isOn));
			child.kill('SIGHUP');
		},
		async close() {
			child.kill('SIGTERM');
			await once(child, 'exit');
			await removeFolder(folder);
		}
	};
}

function configuration(folder: string, port: number, target: string, isBuffering: boolean): string {
	const buffering = isBuffering
		? 'proxy_buffering on; proxy_buffers 8 1m; proxy_buffer_size 1m; proxy_busy_buffers_size 2m; proxy_ignore_headers X-Accel-Buffering; postpone_output 1048576; gzip on; gzip_types text/event-stream; gzip_min_length 1;'
		: 'proxy_buffering off;';
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
		(name) => `${name}_temp_path ${folder}/${name};`
	);
	return `daemon off; pid ${folder}/nginx.pid; worker_processes 1;
events { worker_connections 256; }
http {
	access_log off;
	${temporary.join('\n\t')}
	server {
		listen 127.0.0.1:${port};
		location / {
			proxy_pass ${target};
			proxy_http_version 1.1;
			proxy_set_header Host ${new URL(target).host};
			${buffering}
		}
	}
}
`;
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (address === null || typeof address === 'string') throw new Error('no port');
	return address.port;
}
