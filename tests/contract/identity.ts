// What every Identity must hold, whoever the provider is.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '#lib/server/platform/platform.ts';

export type IdentityRig = {
	identity: Identity;
	/** What a browser does at the provider: follows the address, comes back with the callback's. */
	visit(url: URL): Promise<URL>;
	/** Who signs in at the provider from now on. */
	become(person: { subject: string; email: string; isVerified: boolean; name: string }): void;
	/** The subject of who signed in, where it is not the one that `become` was told. */
	subject?(): Promise<string>;
	/** From now on the provider cannot be reached. */
	goDown(): Promise<void>;
	/** Time passes for the identity. */
	pass(ms: number): void;
	close(): Promise<void>;
};

const redirectUri = new URL('http://127.0.0.1:3000/auth/callback');
const ada = { subject: 'subject-1', email: 'ada@example.org', isVerified: true, name: 'Ada' };

export function identityContract(name: string, open: () => Promise<IdentityRig>): void {
	describe(`Identity: ${name}`, () => {
		let rig: IdentityRig;
		beforeEach(async () => {
			rig = await open();
			rig.become(ada);
		});
		afterEach(() => rig.close());

		const begin = () => rig.identity.begin({ redirectUri, returnTo: '/files?a=1' });
		const arrive = async () => {
			const { url, pending } = await begin();
			return { callback: await rig.visit(url), pending };
		};
		const finish = (input: { callback: URL; pending: string }) =>
			rig.identity.finish({ ...input, redirectUri });

		it('tells who signed in and where that person wanted to go', async () => {
			const { person, returnTo } = await finish(await arrive());
			const subject = (await rig.subject?.()) ?? ada.subject;
			expect(person).toEqual({ subject, email: 'ada@example.org', name: 'Ada' });
			expect(returnTo).toBe('/files?a=1');
		});

		it('writes e-mail addresses in lower case, so that one address is one text', async () => {
			rig.become({ ...ada, email: 'Ada@Example.ORG' });
			expect((await finish(await arrive())).person.email).toBe('ada@example.org');
		});

		it('begins differently every time', async () => {
			const [one, two] = [await begin(), await begin()];
			expect(one.url.href).not.toBe(two.url.href);
			expect(one.pending).not.toBe(two.pending);
		});

		it('shows nothing of what is pending in the address of the provider', async () => {
			const { url, pending } = await begin();
			expect(decodeURIComponent(url.href)).not.toContain(pending);
			expect(pending).not.toContain('/files');
		});

		it('refuses a callback that another browser began', async () => {
			const [mine, theirs] = [await arrive(), await arrive()];
			await expect(finish({ callback: theirs.callback, pending: mine.pending })).rejects.toMatchObject({
				code: 'auth.state_mismatch'
			});
		});

		it('refuses what is pending when a single character of it was changed', async () => {
			const { callback, pending } = await arrive();
			const at = Math.floor(pending.length / 2);
			const forged = pending.slice(0, at) + (pending[at] === 'A' ? 'B' : 'A') + pending.slice(at + 1);
			for (const wrong of [forged, '', 'nonsense', pending.slice(0, -4)]) {
				await expect(finish({ callback, pending: wrong })).rejects.toMatchObject({
					code: 'auth.state_mismatch'
				});
			}
		});

		it('refuses a callback that comes after ten minutes', async () => {
			const arrived = await arrive();
			rig.pass(10 * 60_000 + 1);
			await expect(finish(arrived)).rejects.toMatchObject({ code: 'auth.state_mismatch' });
		});

		it('refuses a callback that was used before', async () => {
			const arrived = await arrive();
			await finish(arrived);
			await expect(finish(arrived)).rejects.toMatchObject({ code: 'auth.refused' });
		});

		it('refuses an address that the provider has not verified', async () => {
			rig.become({ ...ada, isVerified: false });
			await expect(finish(await arrive())).rejects.toMatchObject({ code: 'auth.email_unverified' });
		});

		it('says so when the provider cannot be reached at the beginning', async () => {
			await rig.goDown();
			await expect(begin()).rejects.toMatchObject({ code: 'auth.provider_unreachable' });
		});

		it('says so when the provider cannot be reached at the end', async () => {
			const arrived = await arrive();
			await rig.goDown();
			await expect(finish(arrived)).rejects.toMatchObject({ code: 'auth.provider_unreachable' });
		});
	});
}
