// `npm test`: unit, contract, architecture and HTTP tests by Vitest, then the browser by Playwright. Ends with one
// line that counts both; what could not run is named with its reason.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

export async function runTests({ node, nodeFlags, root, args, run }) {
	const results = path.join(root, 'test-results');
	rmSync(results, { recursive: true, force: true });
	mkdirSync(results, { recursive: true });
	const unit = path.join(results, 'unit.json');
	const browser = path.join(results, 'browser.json');
	const bins = path.join(root, 'node_modules');

	const unitStatus = await run(node, [...nodeFlags, path.join(bins, 'vitest/vitest.mjs'), 'run', ...args], {
		ASURA_TEST_SUMMARY: unit
	});
	const browserStatus = await run(node, [...nodeFlags, path.join(bins, '@playwright/test/cli.js'), 'test'], {
		ASURA_TEST_SUMMARY: browser
	});

	const total = { passed: 0, failed: 0, skipped: [] };
	for (const [name, file, status] of [
		['unit tests', unit, unitStatus],
		['browser tests', browser, browserStatus]
	]) {
		add(total, name, file, status);
	}
	for (const { name, reason } of total.skipped) process.stdout.write(`skipped: ${name}: ${reason}\n`);
	process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped\n`);
	return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

// A runner that died before it could count is a failure of its own, never a silent nothing.
function add(total, name, file, status) {
	if (!existsSync(file)) {
		process.stdout.write(`failed: the ${name} ended with status ${status} before they could count\n`);
		total.failed += 1;
		return;
	}
	const summary = JSON.parse(readFileSync(file, 'utf8'));
	total.passed += summary.passed;
	total.failed += summary.failed;
	total.skipped.push(...summary.skipped);
	if (status !== 0 && summary.failed === 0) {
		process.stdout.write(`failed: the ${name} ended with status ${status} though no single test failed\n`);
		total.failed += 1;
	}
}
