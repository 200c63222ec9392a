// For programs outside the page: the API of a server somewhere, with a key. `createApi(connect({ url, key }))` is all of
// it; what needs no browser of lib/client works with it, in Node as in another page.
export type Connection = { url: string; key: string };

export function connect({ url, key }: Connection, fetch = globalThis.fetch): typeof globalThis.fetch {
	return (input, init) => {
		// A key goes to its own server only, whatever an answer leads to.
		const address = new URL(input instanceof Request ? input.url : input, url);
		if (address.origin !== new URL(url).origin) throw new TypeError('This address is of another server.');
		const headers = new Headers(init?.headers);
		headers.set('authorization', `Bearer ${key}`);
		return fetch(address, { ...init, headers, redirect: 'error' });
	};
}
