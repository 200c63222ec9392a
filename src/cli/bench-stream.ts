// npm run bench stream -- [--connections 10000] [--seconds 60]
// Asura's stream beside plain node:http in the same run: memory per connection, CPU and delay of a broadcast; then what
// only Asura has: commit to browser, resuming after everybody was cut off, a reader who never reads, growth over time.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ask, percentile, print, say, start } from './bench/processes.ts';
import type { Collected, Connected, Measured, Prepared, Written } from './bench/protocol.ts';

const { values } = parseArgs({
	options: {
		connections: { type: 'string', default: '10000' },
		seconds: { type: 'string', default: '60' }
	}
});
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const streamsPerPerson = 8;
const broadcasts = 20;

const raw = await measureServer('raw');
const asura = await measureServer('asura', measureAsura);

print('', 'node:http', 'Asura', 'ratio', 'target');
compare('memory per connection (resident), KiB', raw.residentKib, asura.residentKib, 1.15);
compare('… of it heap and external, KiB', raw.kib, asura.kib);
compare('CPU per broadcast beyond that at rest, ms', raw.cpuMs, asura.cpuMs, 1.2);
compare('CPU per second at rest, ms', raw.idleMs, asura.idleMs);
compare('broadcast delay p50, ms', raw.p50, asura.p50);
compare('broadcast delay p99, ms', raw.p99, asura.p99);

type Costs = {
	kib: number;
	residentKib: number;
	cpuMs: number;
	idleMs: number;
	p50: number;
	p99: number;
};
type Both = { server: ChildProcess; clients: ChildProcess; prepared: Prepared };

async function measureServer(kind: 'raw' | 'asura', more?: (both: Both) => Promise<void>): Promise<Costs> {
	const server = start('stream-server', [kind]);
	const clients = start('stream-client', []);
	const people = Math.ceil(connections / streamsPerPerson) + 1;
	const prepared = await ask<Prepared>(server, { do: 'prepare', people });
	const cookies = prepared.cookies.slice(1);
	// What the first connections load and compile is not what a connection costs.
	await ask(clients, { do: 'connect', url: prepared.url, cookies, count: Math.min(1000, connections) });
	await ask(clients, { do: 'release' });
	const empty = await ask<Measured>(server, { do: 'measure' });
	const opened = await ask<Connected>(clients, {
		do: 'connect',
		url: prepared.url,
		cookies,
		count: connections
	});
	say(`${kind}: ${connections} connections in ${(opened.ms / 1000).toFixed(1)} s, ${opened.refused} refused`);
	const full = await ask<Measured>(server, { do: 'measure' });
	await ask(clients, { do: 'collect' });
	const everyMs = 400;
	await setTimeout(broadcasts * everyMs);
	const rested = await ask<Measured>(server, { do: 'measure' });
	await ask(server, { do: 'broadcast', times: broadcasts, everyMs });
	const after = await ask<Measured>(server, { do: 'measure' });
	const idleMs = rested.cpuMs - full.cpuMs;
	const { delaysMs } = await ask<Collected>(clients, { do: 'collect' });
	if (delaysMs.length !== broadcasts * connections)
		throw new Error(`${delaysMs.length} of ${broadcasts * connections} frames arrived`);
	await more?.({ server, clients, prepared });
	for (const child of [clients, server]) {
		child.kill();
		await once(child, 'exit');
	}
	return {
		kib: (full.usedBytes - empty.usedBytes) / connections / 1024,
		residentKib: (full.residentBytes - empty.residentBytes) / connections / 1024,
		cpuMs: (after.cpuMs - rested.cpuMs - idleMs) / broadcasts,
		idleMs: idleMs / ((broadcasts * everyMs) / 1000),
		p50: percentile(delaysMs, 0.5),
		p99: percentile(delaysMs, 0.99)
	};
}

async function measureAsura({ server, clients, prepared }: Both): Promise<void> {
	const own = { url: prepared.url, cookies: prepared.cookies.slice(0, 1) };
	const alone = await ask<Written>(server, { do: 'write', person: 0, writers: 8, ms: 4000, withBell: false });
	await ask(clients, { do: 'connect', ...own, count: 1 });
	const watched = await ask<Written>(server, {
		do: 'write',
		person: 0,
		writers: 8,
		ms: 4000,
		withBell: false
	});
	goal('writes per second, nobody watching', alone.perSecond);
	goal('writes per second, watched', watched.perSecond);
	goal('ratio of both', watched.perSecond / alone.perSecond, '≥ 0.8');

	await ask(clients, { do: 'collect' });
	const ticks = await ask<Written>(server, { do: 'write', person: 0, writers: 8, ms: 8000, withBell: true });
	const { arrivals } = await ask<Collected>(clients, { do: 'collect' });
	const arrivedAt = new Map(arrivals);
	const delays = ticks.commits.flatMap(([key, at]) =>
		arrivedAt.has(key) ? [(arrivedAt.get(key) ?? 0) - at] : []
	);
	goal('commit to client p50, ms', percentile(delays, 0.5), '≤ 25');
	goal('commit to client p99, ms', percentile(delays, 0.99), '≤ 100');
	goal('ticks told, of all', delays.length / ticks.commits.length);

	const storm = await ask<Connected>(clients, { do: 'storm', url: prepared.url });
	goal('everybody cut off: back again after, s', storm.ms / 1000);
	goal('… of them refused', storm.refused, '0');
	await stall({ server, clients, prepared });
	await soak({ server, clients });
}

async function stall({ server, clients, prepared }: Both): Promise<void> {
	const before = await ask<Measured>(server, { do: 'measure' });
	await ask(clients, { do: 'stall', url: prepared.url, cookie: prepared.cookies[0] ?? '' });
	await ask(server, { do: 'broadcast', times: 200, everyMs: 5 });
	await ask(clients, { do: 'collect' });
	const after = await ask<Measured>(server, { do: 'measure' });
	goal(
		'a reader who never reads, MiB after 200 broadcasts',
		(after.usedBytes - before.usedBytes) / 1024 ** 2,
		'< 5'
	);
}

async function soak({ server, clients }: { server: ChildProcess; clients: ChildProcess }): Promise<void> {
	const samples: Measured[] = [];
	const endsAt = performance.now() + seconds * 1000;
	while (performance.now() < endsAt) {
		await ask(server, { do: 'broadcast', times: 2, everyMs: 2000 });
		await ask(server, { do: 'write', person: 0, writers: 8, ms: 2000, withBell: true });
		await ask(clients, { do: 'collect' });
		samples.push(await ask<Measured>(server, { do: 'measure' }));
	}
	const mib = (sample: Measured | undefined) => (sample?.usedBytes ?? 0) / 1024 ** 2;
	const third = Math.ceil(samples.length / 3);
	const mean = (part: Measured[]) => part.reduce((sum, one) => sum + mib(one), 0) / part.length;
	goal(
		`growth over ${seconds} s, MiB (first third to last)`,
		mean(samples.slice(-third)) - mean(samples.slice(0, third))
	);
}

function compare(name: string, plain: number, ours: number, target?: number): void {
	const ratio = ours / plain;
	print(name, plain.toFixed(1), ours.toFixed(1), ratio.toFixed(2), target === undefined ? '' : `≤ ${target}`);
}

function goal(name: string, value: number, target = ''): void {
	print(name, '', value.toFixed(value < 10 ? 2 : 0), '', target);
}
