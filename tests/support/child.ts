// A child process of a test, which reads its lines and never outlives it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

export type Child = {
	pid: number;
	/** All lines so far. */
	lines: string[];
	nextLine(): Promise<string>;
	kill(signal: NodeJS.Signals): Promise<void>;
	ended: Promise<number | null>;
};

/** `script` is a TypeScript file, run by the Node that runs the test. */
export function startChild(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
	const child = spawn(process.execPath, [script, ...args], {
		stdio: ['pipe', 'pipe', 'inherit'],
		env: { ...process.env, ...env }
	});
	const ended = once(child, 'exit').then(() => child.exitCode);
	onTestFinished(async () => {
		await kill(child, 'SIGKILL');
	});
	const lines: string[] = [];
	const waiting: ((line: string) => void)[] = [];
	let read = 0;
	createInterface({ input: child.stdout }).on('line', (line) => {
		lines.push(line);
		const next = waiting.shift();
		if (next) {
			read++;
			next(line);
		}
	});
	return {
		pid: child.pid ?? 0,
		lines,
		nextLine: () => {
			const line = lines[read];
			if (line === undefined) return new Promise((resolve) => waiting.push(resolve));
			read++;
			return Promise.resolve(line);
		},
		kill: (signal) => kill(child, signal),
		ended
	};
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exit = once(child, 'exit');
	child.kill(signal);
	await exit;
}
