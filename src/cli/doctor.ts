// npm run doctor [-- --mend]: what is stuck, lost or left behind. Asks the running server, or opens the data itself
// when none runs; a Postgres is looked at from outside first. Ends with 1 while there is something to mend.
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { createApp } from '#lib/server/app.ts';
import { type Config, ConfigError, readConfig } from '#lib/server/config.ts';
import { createLog } from '#lib/server/log.ts';
import { DoctorAnswer, isWell, type Mended, type Report } from '#lib/server/pipeline/doctor.ts';
import { requestCommand } from '#lib/server/platform/embedded/control.ts';
import { exists } from '#lib/server/platform/embedded/durable.ts';
import { findOwner } from '#lib/server/platform/embedded/folder-lock.ts';
import { runCommand } from './command.ts';
import { checkOutside, sayChecked } from './doctor-checks.ts';
import { findLastBackup } from './last-backup.ts';

await runCommand(async () => {
	const { values } = parseArgs({ options: { mend: { type: 'boolean', default: false } } });
	const config = readConfig(process.env);
	const checked = await checkOutside(config);
	const lines = checked.map(sayChecked);
	if (checked.some(({ state }) => state === 'wrong')) {
		process.exitCode = 1;
		return lines.join('\n');
	}
	const text = config.databaseUrl ? await askOwnApp(config, values.mend) : await askHere(config, values.mend);
	const { mended, report } = v.parse(v.pipe(v.string(), v.parseJson(), DoctorAnswer), text);
	if (!isWell(report)) process.exitCode = 1;
	return [
		...lines,
		...(mended ? sayMended(mended) : []),
		...sayReport(report),
		...(config.databaseUrl ? [] : [await sayLastBackup(config.dataDir)]),
		...(isWell(report)
			? ['Nothing needs mending.']
			: mended
				? []
				: ['Mend it with: npm run doctor -- --mend'])
	].join('\n');
});

/** The process that owns the data, or the data when nobody does. */
async function askHere(config: Config, mend: boolean): Promise<string> {
	const { dataDir } = config;
	if (!(await exists(dataDir))) throw new ConfigError(`There is no data in ${dataDir}.`);
	if (!(await findOwner(dataDir))) return askOwnApp(config, mend);
	return collect((to) => requestCommand(dataDir, `doctor?mend=${Number(mend)}`, to));
}

async function sayLastBackup(dataDir: string): Promise<string> {
	const backup = await findLastBackup(dataDir);
	return `Last backup: ${backup ? `${backup.at}, ${backup.file}` : 'none known'}.`;
}

async function askOwnApp(config: Config, mend: boolean): Promise<string> {
	const app = await createApp(config, { log: createLog('error', process.stderr) });
	try {
		// Without it there is nothing to look at in a new folder; nobody works on the jobs.
		await app.queue.start();
		if (mend) await app.audit.note({ who: 'command line', what: 'mend' });
		return await collect((to) => app.doctor.answer(to, mend));
	} finally {
		await app.stop();
	}
}

async function collect(write: (to: Writable) => Promise<void>): Promise<string> {
	const parts: Buffer[] = [];
	const to = new Writable({
		write(part: Buffer, _encoding, done) {
			parts.push(part);
			done();
		}
	});
	await write(to);
	return Buffer.concat(parts).toString('utf8');
}

function sayMended(mended: Mended): string[] {
	const done = [
		[mended.strandedFiles, 'given a job again'],
		[mended.stalledFiles, 'that stood still begun anew'],
		[mended.lostFiles, 'marked as lost: their bytes are gone'],
		[mended.orphanBlobs, 'blobs without a row removed'],
		[mended.expiredUploads, 'expired uploads forgotten'],
		[mended.scratchFolders, 'scratch folders of dead processes removed']
	] as const;
	const lines = done.filter(([count]) => count > 0).map(([count, what]) => `Mended: ${count} ${what}.`);
	return lines.length > 0 ? lines : ['There was nothing to mend.'];
}

function sayReport({ databaseBytes, queue, orphanBlobs, ...files }: Report): string[] {
	return [
		`Database: ${(databaseBytes / 1e6).toFixed(1)} MB. Queue: ${queue.waiting} waiting, ${queue.active} at work.`,
		...sayFiles('failed, for their owners to retry or delete', files.failed),
		...sayFiles('at work without a job', files.stranded),
		...sayFiles('at work without a sign of life', files.stalled),
		...sayFiles('without their bytes', files.lost),
		`Blobs without a row: ${orphanBlobs}.`
	];
}

function sayFiles(what: string, { count, first }: Report['failed']): string[] {
	const lines = first.map(({ id, filename, code }) => `  ${id}  ${code ?? ''}  ${filename}`);
	const more = count > first.length ? [`  and ${count - first.length} more`] : [];
	return [`Files ${what}: ${count}.`, ...lines, ...more];
}
