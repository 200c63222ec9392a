const keyPattern = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/;

/** Keys are ids and names of ours, so they are the same text in every store, and none of them leaves it. */
export function checkKey(key: string): string {
	if (!keyPattern.test(key) || key.length > 200) throw new Error(`Not a blob key: ${JSON.stringify(key)}`);
	return key;
}

/** What `list` may be asked for: everything, or the beginning of a key. */
export function checkPrefix(prefix: string): string {
	const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
	if (folder) checkKey(folder.slice(0, -1));
	return prefix;
}
