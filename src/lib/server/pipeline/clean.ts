/** What a database cannot keep (NUL, halves of characters) or nobody can see goes; one form for letters with marks. */
export function clean(text: string): string {
	const visible = text
		.replace(/\r\n?/g, '\n')
		.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\u00AD\uFEFF]/g, '');
	return visible.toWellFormed().normalize('NFC');
}
