// The two cookies of signing in.
const days = 24 * 60 * 60;

export const sessionCookieName = 'asura_session';

export type Cookie = {
	name: string;
	options: { path: string; httpOnly: true; sameSite: 'lax'; secure: boolean; maxAge: number };
};
export type Cookies = { session: Cookie; pending: Cookie };

export function createCookies(origin: string | undefined): Cookies {
	// Without ORIGIN we are reached directly, and we speak plain HTTP.
	const secure = origin?.startsWith('https:') ?? false;
	const rest = { httpOnly: true, sameSite: 'lax', secure } as const;
	return {
		// The server decides when a session ends (sessions.ts); the cookie only has to live at least as long.
		session: { name: sessionCookieName, options: { ...rest, path: '/', maxAge: 400 * days } },
		pending: { name: 'asura_sign_in', options: { ...rest, path: '/auth', maxAge: 10 * 60 } }
	};
}

export function readSessionToken(cookieHeader: string | undefined): string | undefined {
	for (const pair of cookieHeader?.split(';') ?? []) {
		const [name, value] = pair.trim().split('=', 2);
		if (name === sessionCookieName && value) return value;
	}
	return undefined;
}
