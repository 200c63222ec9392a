// Writes how many tests passed and failed, and why others were skipped, for the last line of `npm test`.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class Summary implements Reporter {
	onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]) {
		const file = process.env.ASURA_TEST_SUMMARY;
		if (!file) return;
		const summary = {
			passed: 0,
			failed: errors.filter((error) => !isDeadWorker(error)).length,
			skipped: [] as { name: string; reason: string }[],
			/** Their process was ended by V8 itself (docs/decisions/005), not by a test. */
			unfinished: [] as string[]
		};
		for (const module of modules) {
			const tests = [...module.children.allTests()];
			if (errors.some(isDeadWorker) && tests.some((test) => test.result().state === 'pending')) {
				summary.unfinished.push(module.moduleId);
				continue;
			}
			if (module.errors().length > 0) summary.failed += 1;
			for (const test of tests) {
				const result = test.result();
				if (result.state === 'passed') summary.passed += 1;
				else if (result.state === 'failed') summary.failed += 1;
				else summary.skipped.push({ name: test.fullName, reason: noteOf(result) });
			}
		}
		writeFileSync(file, JSON.stringify(summary));
	}
}

function isDeadWorker(error: unknown): boolean {
	if (!(error instanceof Error) && (typeof error !== 'object' || error === null)) return false;
	const cause = 'cause' in error ? error.cause : undefined;
	const said = [error, cause].map((one) =>
		typeof one === 'object' && one !== null && 'message' in one ? String(one.message) : ''
	);
	return said.some((message) => message.includes('exited unexpectedly with signal SIGTRAP'));
}

function noteOf(result: { state: string; note?: string | undefined }): string {
	return result.note ?? 'no reason given';
}
