// A command of src/cli as a person runs it.
import { execFile } from 'node:child_process';

export function runCli(
	name: string,
	env: Record<string, string>,
	...args: string[]
): Promise<{ code: number; output: string }> {
	const argv = ['--disable-warning=ExperimentalWarning', `src/cli/${name}.ts`, ...args];
	return new Promise((resolve) => {
		execFile(process.execPath, argv, { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
			resolve({ code: Number(error?.code ?? 0), output: stdout + stderr })
		);
	});
}
