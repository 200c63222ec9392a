// Encrypts a short text for a place we do not control, such as a cookie. The key is derived from a secret that every
// process of one installation has anyway, so nothing needs to be stored or shared for it.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

export type Seal = {
	close(text: string): string;
	/** undefined: not sealed by us, or changed since. */
	open(sealed: string): string | undefined;
};

export function createSeal(secret: string, purpose: string): Seal {
	const key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
	return {
		close(text) {
			const iv = randomBytes(ivBytes);
			const cipher = createCipheriv(algorithm, key, iv);
			const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
			return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
		},
		open(sealed) {
			const bytes = Buffer.from(sealed, 'base64url');
			if (bytes.length < ivBytes + tagBytes) return undefined;
			const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), {
				authTagLength: tagBytes
			});
			decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
			const body = decipher.update(bytes.subarray(ivBytes + tagBytes));
			try {
				return Buffer.concat([body, decipher.final()]).toString('utf8');
			} catch {
				// final() throws for one reason only: the tag does not fit the bytes.
				return undefined;
			}
		}
	};
}
