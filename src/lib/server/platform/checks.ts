// What `npm run doctor` looks at from outside, before it opens anything: a list that each part of a platform adds to.
import { messageOf } from '../errors.ts';

export type Finding = {
	/** `note`: it works, with less than there could be. */
	state: 'well' | 'note' | 'wrong';
	says: string;
	/** What to do about it. */
	todo?: string;
};

export type Check = {
	/** A word or two. */
	about: string;
	/** Not looked at when an earlier one of these is wrong. */
	needs?: readonly string[];
	look(): Promise<Finding>;
};

export type Checked = Finding & { about: string };

/** In order. A check that throws is one that found something wrong. */
export async function runChecks(checks: readonly Check[]): Promise<Checked[]> {
	const done: Checked[] = [];
	for (const { about, needs = [], look } of checks) {
		if (done.some((one) => one.state === 'wrong' && needs.includes(one.about))) continue;
		const finding = await look().catch((error: unknown): Finding => ({
			state: 'wrong',
			says: messageOf(error)
		}));
		done.push({ ...finding, about });
	}
	return done;
}

export const well = (says: string): Finding => ({ state: 'well', says });
export const note = (says: string, todo: string): Finding => ({ state: 'note', says, todo });
export const wrong = (says: string, todo: string): Finding => ({ state: 'wrong', says, todo });
