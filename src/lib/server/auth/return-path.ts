// Where a person is sent after signing in: a path of this site, whatever was asked for.
const base = 'http://asura.invalid';

export function returnPath(wanted: string | null | undefined): string {
	if (!wanted?.startsWith('/') || !URL.canParse(wanted, base)) return '/';
	const { origin, pathname, search, hash } = new URL(wanted, base);
	// The URL parser drops tabs, turns \ into / and folds "/./": what it makes of the path must be judged, not the text.
	return origin === base && !pathname.startsWith('//') ? pathname + search + hash : '/';
}
