// The same count as vitest-summary.ts, for the browser tests.
import { writeFileSync } from 'node:fs';
import type { FullConfig, Reporter, Suite } from '@playwright/test/reporter';

export default class Summary implements Reporter {
	#suite: Suite | undefined;

	onBegin(_config: FullConfig, suite: Suite) {
		this.#suite = suite;
	}

	onEnd() {
		const file = process.env.ASURA_TEST_SUMMARY;
		if (!file || !this.#suite) return;
		const summary = { passed: 0, failed: 0, skipped: [] as { name: string; reason: string }[] };
		for (const test of this.#suite.allTests()) {
			const outcome = test.outcome();
			if (outcome === 'expected') summary.passed += 1;
			else if (outcome === 'skipped')
				summary.skipped.push({ name: test.titlePath().join(' › '), reason: reasonOf(test.annotations) });
			else summary.failed += 1;
		}
		writeFileSync(file, JSON.stringify(summary));
	}
}

function reasonOf(annotations: { type: string; description?: string }[]): string {
	return (
		annotations.find(({ type }) => type === 'skip')?.description ?? 'not run because an earlier step failed'
	);
}
