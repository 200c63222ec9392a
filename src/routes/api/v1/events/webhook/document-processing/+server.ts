// Reports of an external processor (docs/processors.md): a key of their own instead of a session.
import { ProcessingReportJson, ReportQuery } from '#lib/shared/processing-report.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request, url, getClientAddress }) => {
	const { auth, errors, parse, processor } = locals.app;
	if (!processor) throw errors.problem('request.not_found');
	const { headers } = request;
	const address = auth.addressOf(getClientAddress(), headers.get('x-forwarded-for'));
	const body = await processor.admit({ headers, address, read: () => request.text() });
	const report = parse(ProcessingReportJson, body);
	const { run } = parse(ReportQuery, Object.fromEntries(url.searchParams));
	return Response.json({ result: await processor.report(report, run) });
};
