// The one way of signing in that the settings make: through a Supabase project, with an OpenID Connect provider, on the
// machine itself, or none. `provider` is written to each session; those of another way count for nothing.
import { type Config, isLoopbackHost } from '../config.ts';

export type WayIn = { provider: string; providerName: string | undefined; isLocalOpen: boolean };

export function readWayIn({ supabase, oidc, origin, isLoopback }: Config): WayIn {
	const only = { isLocalOpen: false };
	// Google's client then belongs to the project; here its settings would be a second way in.
	if (supabase) return { ...only, provider: `${plain(supabase.url)}/auth/v1`, providerName: 'Google' };
	if (oidc) return { ...only, provider: plain(oidc.issuer), providerName: nameOf(oidc.issuer) };
	const isLocalOpen = isLoopback && (!origin || isLoopbackHost(new URL(origin).hostname));
	return { isLocalOpen, provider: isLocalOpen ? 'local' : 'none', providerName: undefined };
}

function plain(url: string): string {
	return url.replace(/\/+$/, '');
}

function nameOf(issuer: string): string {
	const { hostname } = new URL(issuer);
	return hostname === 'accounts.google.com' ? 'Google' : hostname;
}
