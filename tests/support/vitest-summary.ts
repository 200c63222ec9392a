// Writes how many tests passed and failed, and why others were skipped, for the last line of `npm test`.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class Summary implements Reporter {
	onTestRunEnd(modules: readonly TestModule[]) {
		const file = process.env.ASURA_TEST_SUMMARY;
		if (!file) return;
		const summary = { passed: 0, failed: 0, skipped: [] as { name: string; reason: string }[] };
		for (const module of modules) {
			if (module.errors().length > 0) summary.failed += 1;
			for (const test of module.children.allTests()) {
				const result = test.result();
				if (result.state === 'passed') summary.passed += 1;
				else if (result.state === 'failed') summary.failed += 1;
				else summary.skipped.push({ name: test.fullName, reason: noteOf(result) });
			}
		}
		writeFileSync(file, JSON.stringify(summary));
	}
}

function noteOf(result: { state: string; note?: string | undefined }): string {
	return result.note ?? 'no reason given';
}
