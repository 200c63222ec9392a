import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import { digestOf, type FilesState, merge, noFiles, type StreamMessage } from './events.ts';

const timestamp = '';
const id = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`;
const file = (n: number, rev = 1) => aFile({ id: id(n), rev });
const connected: StreamMessage = {
	eventType: 'connected',
	timestamp,
	connectionId: 'x',
	heartbeatSeconds: 30,
	cursor: null
};
const snapshot = (files: [number, number][], last = true): StreamMessage => ({
	eventType: 'snapshot',
	timestamp,
	files: files.map(([n, rev]) => file(n, rev)),
	last
});
const update = (n: number, rev: number): StreamMessage => ({
	eventType: 'file-update',
	timestamp,
	file: file(n, rev)
});
const deleted = (n: number, rev: number): StreamMessage => ({
	eventType: 'file-deleted',
	timestamp,
	file: { id: id(n), rev }
});
const after = (...messages: StreamMessage[]) => messages.reduce(merge, noFiles);
const revs = ({ byId }: FilesState) =>
	Object.fromEntries([...byId.values()].map((one) => [Number(one.id.slice(0, 8)), one.rev]));

describe('merge', () => {
	it('keeps the highest rev of each file, whatever the order', () => {
		expect(revs(after(update(1, 3), update(1, 2), update(2, 1), update(1, 3)))).toEqual({ 1: 3, 2: 1 });
	});

	it('returns the same object when there is no news', () => {
		const state = after(connected, snapshot([[1, 3]]));
		expect(merge(state, update(1, 3))).toBe(state);
		expect(merge(state, update(1, 2))).toBe(state);
		expect(merge(state, { eventType: 'heartbeat', timestamp, cursor: null, active: 0, digest: '' })).toBe(
			state
		);
	});

	it('does not bring a deleted file back, however late its last update comes', () => {
		expect(revs(after(update(1, 3), deleted(1, 4), update(1, 3)))).toEqual({});
		expect(revs(after(deleted(1, 4), update(1, 3)))).toEqual({});
	});

	it('forgets what a whole snapshot does not name', () => {
		expect(
			revs(
				after(
					connected,
					snapshot([
						[1, 1],
						[2, 1]
					]),
					connected,
					snapshot([[2, 1]])
				)
			)
		).toEqual({ 2: 1 });
	});

	it('forgets nothing before the last frame of the snapshot', () => {
		const known = after(
			connected,
			snapshot([
				[1, 1],
				[2, 1]
			]),
			connected,
			snapshot([[3, 1]], false)
		);
		expect(revs(known)).toEqual({ 1: 1, 2: 1, 3: 1 });
		expect(revs(merge(known, snapshot([[2, 1]])))).toEqual({ 2: 1, 3: 1 });
	});

	it('keeps a file that arrived while the snapshot was on its way', () => {
		expect(revs(after(connected, snapshot([[1, 1]], false), update(9, 1), snapshot([[2, 1]])))).toEqual({
			1: 1,
			2: 1,
			9: 1
		});
	});

	it('believes the snapshot about what was known before it, even a lower rev: the database may be a restored one', () => {
		expect(
			revs(
				after(
					connected,
					snapshot([[1, 9]]),
					{ eventType: 'reset', timestamp, reason: 'other_epoch' },
					snapshot([[1, 4]])
				)
			)
		).toEqual({ 1: 4 });
		expect(
			revs(
				after(
					connected,
					snapshot([[1, 9]]),
					deleted(2, 2),
					connected,
					snapshot([
						[1, 9],
						[2, 1]
					])
				)
			)
		).toEqual({ 1: 9, 2: 1 });
	});

	it('does not let the snapshot take back what arrived after it began', () => {
		expect(revs(after(connected, update(1, 5), snapshot([[1, 4]])))).toEqual({ 1: 5 });
		expect(revs(after(connected, deleted(1, 5), snapshot([[1, 4]])))).toEqual({});
	});

	it('goes on with what is known when a connection continues from a cursor', () => {
		expect(revs(after(connected, snapshot([[1, 1]]), { ...connected, cursor: 'e.4' }, update(2, 1)))).toEqual(
			{ 1: 1, 2: 1 }
		);
	});

	it('says that an empty list is the whole truth only after a whole snapshot', () => {
		expect(after(connected).isLoaded).toBe(false);
		expect(after(connected, snapshot([], false)).isLoaded).toBe(false);
		expect(after(connected, snapshot([])).isLoaded).toBe(true);
	});

	it('ends in the same state for any order and any repetition of the same changes', () => {
		const change = fc.record({
			n: fc.integer({ min: 0, max: 5 }),
			rev: fc.integer({ min: 1, max: 9 }),
			isDelete: fc.boolean()
		});
		fc.assert(
			fc.property(fc.array(change), fc.infiniteStream(fc.nat()), (changes, chance) => {
				// A deletion is always a file's last change.
				const messages = changes.map(({ n, rev, isDelete }) => (isDelete ? deleted(n, 10) : update(n, rev)));
				const shuffled = [...messages, ...messages]
					.map((message) => ({ message, key: chance.next().value }))
					.sort((a, b) => a.key - b.key)
					.map(({ message }) => message);
				expect(revs(after(...shuffled))).toEqual(revs(after(...messages)));
			})
		);
	});
});

describe('the digest', () => {
	it('does not depend on the order', () => {
		expect(digestOf([file(1, 4), file(2, 7)])).toBe(digestOf([file(2, 7), file(1, 4)]));
	});

	it.each([
		['one rev', [file(1, 4), file(2, 8)]],
		['two revs that change in opposite directions', [file(1, 5), file(2, 6)]],
		['a missing file', [file(1, 4)]],
		['one file too many', [file(1, 4), file(2, 7), file(3, 1)]],
		['another file instead', [file(1, 4), file(3, 7)]]
	])('notices %s', (_, files) => {
		expect(digestOf(files)).not.toBe(digestOf([file(1, 4), file(2, 7)]));
	});
});
