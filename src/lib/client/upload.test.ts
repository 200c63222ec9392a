import { expect, it } from 'vitest';
import { formOf } from './upload.ts';

const nameSent = (name: string) => {
	const sent = formOf(new File(['x'], name)).get('file');
	return sent instanceof File ? sent.name : undefined;
};

it('a name is sent as it is', () => {
	expect(nameSent('Über “fog” (2).pdf')).toBe('Über “fog” (2).pdf');
});

it('a character that breaks the header of its part is not sent, and the name does not become empty', () => {
	expect(nameSent('a\u0001b\tc\u007f.txt')).toBe('a_b_c_.txt');
	expect(nameSent('Icon\r')).toBe('Icon_');
	expect(nameSent('\u0002')).toBe('_');
});
