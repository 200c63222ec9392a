// Whose turn it is: who is begun first, who comes again, and who is told which place he has.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';

let test: TestFiles;
let ada: string;
let bob: string;

beforeAll(async () => {
	test = await openTestFiles();
});
afterAll(() => test.close());
beforeEach(async () => {
	ada = await test.platform.addUser();
	bob = await test.platform.addUser();
});

async function claim(fileId: string) {
	const claim = await test.files.claim({ fileId, attempt: 0, sizeBytes: 1, tries: 0 });
	if (!claim) throw new Error('not claimed');
	return claim;
}

describe('all that failed', () => {
	it('is queued again, and nothing else', async () => {
		const failed = [await test.addFile(ada), await test.addFile(ada)];
		for (const { id } of failed) {
			await (await claim(id)).fail({ code: 'file.damaged', message: 'x' });
		}
		const waiting = await test.addFile(ada);
		const others = await test.files.retryFailed(await test.platform.addUser());
		expect(others).toEqual([]);
		const files = await test.files.retryFailed(ada);
		expect(files.map(({ id, status }) => [id, status])).toEqual(failed.map(({ id }) => [id, 'pending']));
		expect((await test.queue.live()).get(waiting.id)).toBe(0);
		expect((await test.queue.live()).get(files[0]?.id ?? '')).toBe(2);
	});
});

describe('somebody with many files', () => {
	it('does not keep everybody else waiting', async () => {
		const [many, one] = [await test.platform.addUser(), await test.platform.addUser()];
		const theirs: string[] = [];
		for (let i = 0; i < 20; i++) theirs.push((await test.addFile(many)).id);
		const { id } = await test.addFile(one);
		const order = (await test.queue.waiting(100)).filter((each) => each === id || theirs.includes(each));
		expect(order.indexOf(id)).toBe(1);
		expect(order.filter((each) => each !== id)).toEqual(theirs);
	});
});

describe('the file that somebody wants next', () => {
	it('is begun before all others that wait', async () => {
		const [first, second, third] = [
			await test.addFile(ada),
			await test.addFile(ada),
			await test.addFile(ada)
		];
		expect(await test.files.prefer(ada, third.id)).toMatchObject({ id: third.id, status: 'pending' });
		const order = (await test.queue.waiting(100)).filter((id) =>
			[first.id, second.id, third.id].includes(id)
		);
		expect(order).toEqual([third.id, first.id, second.id]);
		await test.files.cancel(ada, first.id);
		await expect(test.files.prefer(ada, first.id)).rejects.toMatchObject({ code: 'file.not_waiting' });
		const stranger = await test.platform.addUser();
		await expect(test.files.prefer(stranger, third.id)).rejects.toMatchObject({ code: 'file.not_found' });
	});
});

describe('several files that are wanted next', () => {
	it.each(['small', 'big'])('the one said last is begun first: %s ones', async (kind) => {
		const sizeBytes = kind === 'small' ? 5 : 32 * 1024 ** 2;
		const ids: string[] = [];
		for (let i = 0; i < 4; i++) ids.push((await test.addFile(ada, undefined, { sizeBytes })).id);
		const [first = '', second = '', third = '', fourth = ''] = ids;
		for (const id of [third, fourth, third, second]) await test.files.prefer(ada, id);
		const order = (await test.queue.waiting(100)).filter((id) => ids.includes(id));
		expect(order).toEqual([second, third, fourth, first]);
		const small = await test.addFile(bob);
		const all = await test.queue.waiting(100);
		if (kind === 'big') expect(all.indexOf(small.id)).toBeLessThan(all.indexOf(second));
	});
});

describe('queue positions', () => {
	it('count only files that wait, and are taken away when a file is begun', async () => {
		const [a, b, c] = [await test.addFile(ada), await test.addFile(bob), await test.addFile(ada)];
		await test.files.setPositions([
			{ id: a.id, etaSeconds: undefined },
			{ id: b.id, etaSeconds: undefined },
			{ id: c.id, etaSeconds: undefined }
		]);
		const position = async (user: string, id: string) => (await test.files.get(user, id)).queue_position;
		expect([await position(ada, a.id), await position(bob, b.id), await position(ada, c.id)]).toEqual([
			1, 2, 3
		]);
		await claim(a.id);
		const { rev } = await test.files.get(ada, c.id);
		await test.files.setPositions([
			{ id: a.id, etaSeconds: undefined },
			{ id: b.id, etaSeconds: undefined }
		]);
		expect([await position(ada, a.id), await position(bob, b.id), await position(ada, c.id)]).toEqual([
			null,
			1,
			null
		]);
		await test.files.setPositions([{ id: b.id, etaSeconds: undefined }]);
		expect((await test.files.get(ada, c.id)).rev).toBe(rev + 1);
	});
});
