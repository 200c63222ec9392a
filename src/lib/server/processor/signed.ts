// What is proved by the key that Asura and the processor share: who calls, that a body was not changed, and that a link
// is ours. Comparisons take the same time whatever they find.
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const windowSeconds = 300;

export type Signed = ReturnType<typeof createSigned>;

export function createSigned(key: string, now: () => number = Date.now) {
	// A key of its own: a signature of one kind is never good as one of another.
	const linkKey = Buffer.from(hkdfSync('sha256', key, '', 'asura download link', 32));
	const seconds = () => Math.floor(now() / 1000);
	const bodySignature = (timestamp: string, body: string) =>
		`sha256=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`;
	const linkSignature = (run: string, expires: string) =>
		createHmac('sha256', linkKey).update(`${run}.${expires}`).digest('base64url');

	return {
		headersFor(body: string): Record<string, string> {
			const timestamp = String(seconds());
			return {
				'x-webhook-key': key,
				'x-webhook-timestamp': timestamp,
				'x-webhook-signature': bodySignature(timestamp, body)
			};
		},

		isKey: (given: string | null): boolean => given !== null && isEqual(given, key),

		/** Without a signature there is nothing to be wrong about; with one, it has to be right and young. */
		isBody(body: string, { timestamp, signature }: { timestamp: string | null; signature: string | null }) {
			if (timestamp === null && signature === null) return true;
			if (timestamp === null || signature === null || !/^\d{1,12}$/.test(timestamp)) return false;
			const isYoung = Math.abs(seconds() - Number(timestamp)) <= windowSeconds;
			return isEqual(signature, bodySignature(timestamp, body)) && isYoung;
		},

		/** What follows the address of downloads. */
		link(run: string, forSeconds: number): string {
			const expires = String(seconds() + forSeconds);
			return `${run}/${expires}/${linkSignature(run, expires)}`;
		},

		isLink: (run: string, expires: string, signature: string): boolean =>
			isEqual(signature, linkSignature(run, expires)),
		isOver: (expires: string): boolean => Number(expires) < seconds()
	};
}

/** Of digests, so that not even the length of what is right can be told. */
function isEqual(given: string, right: string): boolean {
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(right));
}
