import { describe, expect, it } from 'vitest';
import { harbour, orchard } from '../../../../../tests/support/topic-texts.ts';
import { findTopics, type Passage } from './find.ts';

const passagesOf = (...files: string[][]): Passage[] =>
	files.flatMap((texts, file) =>
		texts.map((text, ordinal) => ({ fileId: `file ${file}`, ordinal, text, vector: undefined }))
	);

describe('topics', () => {
	it('are phrases that some passages share, with the passages that say so', () => {
		const found = findTopics(passagesOf(harbour, orchard));
		const wall = found.find(({ title }) => title === 'Quay wall');
		expect(wall?.support.map(({ fileId }) => fileId)).toEqual(['file 0', 'file 0', 'file 0']);
		expect(found.some(({ title }) => /frost|apple trees/i.test(title))).toBe(true);
		for (const { confidence } of found) {
			expect(confidence).toBeGreaterThan(0);
			expect(confidence).toBeLessThanOrEqual(1);
		}
	});

	it('are the same for the same passages, and none where there is nothing in common', () => {
		expect(findTopics(passagesOf(harbour, orchard))).toEqual(findTopics(passagesOf(harbour, orchard)));
		expect(findTopics([])).toEqual([]);
		expect(findTopics(passagesOf(['Only one passage stands here.']))).toEqual([]);
		expect(findTopics(passagesOf([' ', '…', '12 34 56', 'the of and']))).toEqual([]);
	});

	it.each([
		[
			'Please see the pump manual.',
			'It is a good idea to ask for help, please see below.',
			'please see|good idea'
		],
		[
			'Lesen Sie bitte das Pumpenbuch.',
			'Gute Idee: lesen Sie bitte weitere Informationen.',
			'lesen|bitte|idee'
		],
		[
			"C'est pourquoi on peut être sûr.",
			"C’est pourquoi il peut être d'un autre avis.",
			'pourquoi|autre|être'
		]
	])('are no ways of speaking: %s', (one, other, never) => {
		const titles = findTopics(passagesOf([one, other], [one, other])).map(({ title }) => title);
		expect(titles.filter((title) => new RegExp(never, 'iu').test(title))).toEqual([]);
	});

	it('are no markup, no code, no broken names', () => {
		const passages = passagesOf(
			[
				'Set DATA_DIR=/srv and cut - paste. Submit a bug. Word word.',
				'Again DATA_DIR, cut - paste, submit a bug.'
			],
			['The DATA_DIR; cut - paste! Submit a bug: word word.', 'L’archive du port, l’archive du port.'],
			['Dans l’archive du port.']
		);
		const titles = findTopics(passages).map(({ title }) => title);
		expect(titles).toContain('Archive du port');
		for (const broken of ['DATA DIR', 'Cut paste', 'Submit a bug', 'Word word'])
			expect(titles).not.toContain(broken);
	});

	it('are told once, whatever their endings', () => {
		const passages = passagesOf(
			[
				'Die regulären Ausdrücke sind alt.',
				'Ein regulärer Ausdruck ist kurz.',
				'Den regulären Ausdruck lernt Ada.'
			],
			['Reguläre Ausdrücke findet Bob.', 'Security policies came late.', 'The security policy was read.'],
			['A security policy is needed.', 'Both security policies hold.']
		);
		const titles = findTopics(passages).map(({ title }) => title);
		expect(titles.filter((title) => /ausdr/i.test(title))).toHaveLength(1);
		expect(titles.filter((title) => /polic/i.test(title))).toHaveLength(1);
	});

	it('are rather what comes back within a passage than what stands in each once', () => {
		const passages = passagesOf(
			...['one', 'two', 'three'].map((name) => [
				`Winter harvest ${name}: the tide gauge rose, so the tide gauge was read, and the tide gauge fell.`
			])
		);
		const [gauge, harvest] = ['Tide gauge', 'Winter harvest'].map((title) =>
			findTopics(passages).find((one) => one.title.startsWith(title))
		);
		expect(gauge?.confidence).toBeGreaterThan(harvest?.confidence ?? 0);
	});

	it('stay when others are nearly as good, and make room when they are dismissed', () => {
		const words =
			'anchor buoy canal dredger ferry gantry hawser island jetty keel lantern mooring netting oyster'.split(
				' '
			);
		const pairs = words.map((word) => `${word} ${word.slice(0, 3)}tackle`);
		const passages = passagesOf(...[0, 1].map(() => pairs.map((pair) => `The ${pair}.`)));
		const found = findTopics(passages);
		expect(found).toHaveLength(12);
		const rest = pairs.filter((pair) => !found.some(({ title }) => title.toLowerCase() === pair));
		expect(rest).toHaveLength(2);
		const titlesWith = (status: string, keys: readonly string[]) =>
			findTopics(
				passages,
				keys.map((key) => ({ key, status }))
			).map(({ title }) => title.toLowerCase());
		expect(titlesWith('open', rest)).toEqual(expect.arrayContaining(rest));
		expect(
			titlesWith(
				'dismissed',
				found.map(({ key }) => key)
			)
		).toEqual(expect.arrayContaining(rest));
	});

	it('rank passages by their nearness to each other, where there are vectors', () => {
		const vectors = [
			[1, 0],
			[0.9, 0.1],
			[0, 1]
		];
		const passages = passagesOf(harbour).map((passage, i) => ({ ...passage, vector: vectors[i] }));
		const [wall] = findTopics(passages);
		expect(wall?.support.at(-1)?.ordinal).toBe(2);
	});
});
