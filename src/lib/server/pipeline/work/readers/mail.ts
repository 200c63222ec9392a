// Letters (EML) by postal-mime: who, to whom, when, about what; the text; the names of what was attached.
import { readFile } from 'node:fs/promises';
import PostalMime, { type Address, type Email } from 'postal-mime';
import { problem } from '#lib/server/errors.ts';
import type { Page } from '../../stage.ts';
import { orDamaged } from './damage.ts';
import { htmlPages } from './html.ts';
import { passage, type Source } from './source.ts';
import { groupLines } from './text.ts';

/** postal-mime holds the whole letter with its attachments. */
const maxBytes = 100 * 1024 ** 2;

export async function* readMail(source: Source): AsyncGenerator<Page> {
	if (source.sizeBytes > maxBytes) throw problem('stage.out_of_memory', { details: { max: maxBytes } });
	const bytes = await readFile(source.path);
	const mail = await orDamaged(() => PostalMime.parse(bytes, { attachmentEncoding: 'arraybuffer' }));
	source.tick({ done: source.sizeBytes, total: source.sizeBytes, unit: 'bytes' });
	const section = mail.subject?.trim() || null;
	yield passage(envelope(mail), section);
	for await (const page of bodyOf(mail))
		yield { ...page, section: page.section?.startsWith('line') ? section : (page.section ?? section) };
}

function bodyOf(mail: Email): AsyncGenerator<Page> {
	if (mail.text?.trim()) return groupLines([mail.text]);
	return htmlPages([mail.html ?? '']);
}

function envelope({ subject, from, to, cc, date, attachments }: Email): string {
	const names = attachments.flatMap((attachment) => attachment.filename ?? []);
	return [
		subject && `Subject: ${subject}`,
		from && `From: ${nameOf(from)}`,
		to && `To: ${to.map(nameOf).join(', ')}`,
		cc && `Cc: ${cc.map(nameOf).join(', ')}`,
		date && `Date: ${date}`,
		names.length > 0 && `Attachments: ${names.join(', ')}`
	]
		.filter(Boolean)
		.join('\n');
}

function nameOf(address: Address): string {
	if (address.group) return `${address.name}: ${address.group.map(nameOf).join(', ')}`;
	return address.name ? `${address.name} <${address.address}>` : address.address;
}
