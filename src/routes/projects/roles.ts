import type { Role } from '#lib/shared/projects.ts';

export const roleNames: Record<Role, string> = { owner: 'Owner', editor: 'May edit', viewer: 'May look' };

export function daysUntil(iso: string): number {
	return Math.max(0, Math.ceil((Date.parse(iso) - Date.now()) / 86_400_000));
}
