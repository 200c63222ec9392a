// What benchmarks of several processes share: starting one, asking it, and printing what came of it.
import { type ChildProcess, fork } from 'node:child_process';
import type { Order } from './protocol.ts';

export function start(file: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
	return fork(new URL(`./${file}.ts`, import.meta.url), args, {
		env: { ...process.env, ...env },
		execArgv: [
			'--expose-gc',
			'--disable-warning=ExperimentalWarning',
			'--no-memory-protection-keys',
			'--no-wasm-code-gc'
		],
		serialization: 'advanced'
	});
}

export async function ask<T>(child: ChildProcess, order: Order): Promise<T> {
	child.send(order);
	return new Promise((resolve, reject) => {
		const fail = (code: number | null) =>
			reject(new Error(`a process of the benchmark ended with ${code} while asked to ${order.do}`));
		child.once('exit', fail);
		child.once('message', (answer) => {
			child.off('exit', fail);
			resolve(answer as T);
		});
	});
}

export function percentile(numbers: number[], share: number): number {
	const sorted = Float64Array.from(numbers).sort();
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function print(name: string, ...columns: string[]): void {
	say(`${name.padEnd(52)}${columns.map((column) => column.padStart(11)).join('')}`);
}

export function say(line: string): void {
	process.stdout.write(`${line}\n`);
}
