/** Of a date or a time in ISO 8601 that is formed well: whether there is such a day. JavaScript makes March of February 31. */
export function isDay(text: string): boolean {
	const day = text.slice(0, 10);
	const at = Date.parse(day);
	return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}
