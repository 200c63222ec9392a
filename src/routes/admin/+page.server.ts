// For operators: what `npm run doctor` tells, and its mending. To everybody else there is nothing here.
import type { RequestEvent } from '@sveltejs/kit';
import type { Mended, Report } from '#lib/server/pipeline/doctor.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
	const app = operatorsApp(locals);
	const [glance, acts] = await Promise.all([app.doctor.glance(), app.audit.latest(20)]);
	return { ...glance, acts };
};

export const actions: Actions = {
	/** Goes through the whole store, which takes its time: only when somebody asks. */
	async examine({ locals }) {
		return { ...(await examined(operatorsApp(locals))), mended: undefined };
	},
	async mend({ locals }) {
		const app = operatorsApp(locals);
		await app.audit.note({ who: app.auth.require(locals.session).email, what: 'mend' });
		const mended = sayMended(await app.doctor.mend());
		return { ...(await examined(app)), mended };
	}
};

async function examined({ doctor }: RequestEvent['locals']['app']) {
	const report = await doctor.examine();
	return { isWell: doctor.isWell(report), findings: findingsOf(report) };
}

function operatorsApp({ app, session }: RequestEvent['locals']) {
	if (!app.auth.require(session).isAdmin) throw app.errors.problem('request.not_found');
	return app;
}

function findingsOf({ failed, stranded, stalled, lost, orphanBlobs }: Report) {
	return [
		{ what: 'Files at work without a job', ...anonymous(stranded) },
		{ what: 'Files at work without a sign of life', ...anonymous(stalled) },
		{ what: 'Files without their bytes', ...anonymous(lost) },
		{ what: 'Stored bytes without a file', count: orphanBlobs, first: [] },
		{ what: 'Failed files, for their owners to retry or delete', ...anonymous(failed) }
	];
}

/** What people call their files is not for operators. */
function anonymous({ count, first }: Report['failed']) {
	return { count, first: first.map(({ id, code }) => ({ id, code })) };
}

function sayMended(mended: Mended) {
	const { strandedFiles, stalledFiles, lostFiles, orphanBlobs, expiredUploads, scratchFolders } = mended;
	const done = [
		[strandedFiles, 'given a job again'],
		[stalledFiles, 'that stood still begun anew'],
		[lostFiles, 'marked as lost, because their bytes are gone'],
		[orphanBlobs, 'stored without a file removed'],
		[expiredUploads, 'expired uploads forgotten'],
		[scratchFolders, 'scratch folders of dead processes removed']
	] as const;
	const parts = done.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
	return parts.length > 0 ? `Mended: ${parts.join(', ')}.` : 'There was nothing to mend.';
}
