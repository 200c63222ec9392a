import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deletions } from './deletions.svelte.ts';

const file = { id: 'f1', filename: 'a.pdf' };

function setUp(remove: (ids: readonly string[]) => Promise<void> = async () => {}) {
	const removed: string[] = [];
	const failed: string[] = [];
	const deletions = new Deletions({
		remove: (ids) => (removed.push(...ids), remove(ids)),
		onFailed: (name) => failed.push(name)
	});
	return { deletions, removed, failed };
}

describe('deleting', () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it('hides the file at once and tells the server after the time for undo', async () => {
		const { deletions, removed } = setUp();
		deletions.ask(file);
		expect(deletions.isHidden('f1')).toBe(true);
		expect(removed).toEqual([]);
		await vi.runAllTimersAsync();
		expect(removed).toEqual(['f1']);
		expect(deletions.pending).toEqual([]);
		expect(deletions.isHidden('f1')).toBe(true);
	});

	it('can be undone', async () => {
		const { deletions, removed } = setUp();
		deletions.ask(file);
		deletions.undo(deletions.pending[0]?.key ?? 0);
		await vi.runAllTimersAsync();
		expect(removed).toEqual([]);
		expect(deletions.isHidden('f1')).toBe(false);
	});

	it('has one way back for several files', async () => {
		const { deletions, removed } = setUp();
		deletions.ask(file, { id: 'f2', filename: 'b.pdf' });
		expect(deletions.pending).toMatchObject([{ name: '2 files' }]);
		expect(deletions.isHidden('f2')).toBe(true);
		deletions.undo(deletions.pending[0]?.key ?? 0);
		expect(deletions.isHidden('f2')).toBe(false);
		deletions.ask(file, { id: 'f2', filename: 'b.pdf' });
		await vi.runAllTimersAsync();
		expect(removed).toEqual(['f1', 'f2']);
	});

	it('is not lost when the page is left', () => {
		const { deletions, removed } = setUp();
		deletions.ask(file);
		deletions.flush();
		expect(removed).toEqual(['f1']);
	});

	it('brings the file back and says so when the server refuses', async () => {
		const { deletions, failed } = setUp(() => Promise.reject(new Error('no')));
		deletions.ask(file);
		await vi.runAllTimersAsync();
		expect(failed).toEqual(['a.pdf']);
		expect(deletions.isHidden('f1')).toBe(false);
	});
});
