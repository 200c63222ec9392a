// Secrets that are handed out once: 256 random bits, of which only the SHA-256 is kept.
import { createHash, randomBytes } from 'node:crypto';

export const keyPrefix = 'asura_';
const keyForm = /^asura_[\w-]{43}$/;

export function newToken(): string {
	return randomBytes(32).toString('base64url');
}

export function hash(token: string): string {
	return createHash('sha256').update(token).digest('hex');
}

export function isKey(text: string): boolean {
	return keyForm.test(text);
}

/** Of a key or session: whatever is none cannot be anybody's. */
export function isId(text: string): boolean {
	return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
