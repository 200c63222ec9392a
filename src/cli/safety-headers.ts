// On every response, whoever makes it: Kit, its static files, its redirects, the raw stream. What a response says for
// itself goes before. The content security policy of pages is Kit's (svelte.config.js), since it knows their nonces.
export const safetyHeaders = new Map([
	['X-Content-Type-Options', 'nosniff'],
	['Referrer-Policy', 'same-origin'],
	['X-Frame-Options', 'DENY'],
	['Cross-Origin-Opener-Policy', 'same-origin'],
	['Cross-Origin-Resource-Policy', 'same-origin'],
	['Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()']
]);
