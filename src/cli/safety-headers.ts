// On every response, whoever makes it: Kit, its static files, its redirects, the raw stream. What a response says for
// itself goes before. The content security policy of pages is Kit's (svelte.config.js), since it knows their nonces.
import type { Config } from '#lib/server/config.ts';

export function safetyHeaders({ origin }: Pick<Config, 'origin'>): Map<string, string> {
	const headers = new Map([
		['X-Content-Type-Options', 'nosniff'],
		['Referrer-Policy', 'same-origin'],
		['X-Frame-Options', 'DENY'],
		['Cross-Origin-Opener-Policy', 'same-origin'],
		['Cross-Origin-Resource-Policy', 'same-origin'],
		['Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()']
	]);
	// Who came by https once is not to be led astray by a plain link.
	if (origin?.startsWith('https:')) headers.set('Strict-Transport-Security', 'max-age=31536000');
	return headers;
}
