// How texts are compared: without case, without accents (café = cafe), in one form of each letter. The database folds
// the same way (supabase/migrations/…_search.sql). Marks of other scripts stay: they are vowels there.

export function foldText(text: string): string {
	return text
		.normalize('NFKD')
		.replace(/[\u0300-\u036f]+/g, '')
		.normalize('NFC')
		.toLowerCase();
}
