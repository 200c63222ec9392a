import { expect, test } from 'vitest';
import { halvesOf } from './halves.ts';

test('a long name is cut before its last characters, and nothing of it is lost', () => {
	expect(halvesOf('minutes-of-the-harbour-trust.pdf')).toEqual(['minutes-of-the-harbour-t', 'rust.pdf']);
});

test('a short name, or one that is written from right to left, stays whole', () => {
	expect(halvesOf('scan of the pier.pdf')).toBeUndefined();
	expect(halvesOf('محضر اجتماع مجلس إدارة الميناء.pdf')).toBeUndefined();
});

test('no character is torn apart', () => {
	const tail = '👨‍👩‍👧--é.pdf'.normalize('NFD');
	expect(halvesOf(`notes-of-the-keeper-${tail}`)).toEqual(['notes-of-the-keeper-', tail]);
	expect(halvesOf('👨‍👩‍👧'.repeat(20))).toEqual(['👨‍👩‍👧'.repeat(13), '👨‍👩‍👧'.repeat(7)]);
});
