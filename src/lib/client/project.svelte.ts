// A project on the desk: a workbench of its own, fed by the project's stream, for as long as a page of it is open. One
// with something still to send goes on without its page, and is there again when the page is.
import { onMount } from 'svelte';
import type { StreamMessage } from '#lib/shared/events.ts';
import { getWorkbench, setWorkbench, Workbench, type WorkbenchOptions } from './workbench.svelte.ts';

type Options = Required<Omit<WorkbenchOptions, 'notices'>> & {
	canWrite: boolean;
	onMessage?: (message: StreamMessage) => void;
};

/** While a component is made; what stands in it gets this workbench instead of the desk's. */
export function openProject({ canWrite, onMessage, ...options }: Options): Workbench {
	const { project } = options;
	const desk = getWorkbench();
	const known = desk.projects.get(project);
	const workbench = setWorkbench(
		known ?? ofItsOwn(() => new Workbench({ ...options, notices: desk.notices }))
	);
	workbench.canWrite = canWrite;
	onMount(() => {
		desk.projects.set(project, workbench);
		desk.project = workbench;
		workbench.onMessage = onMessage;
		workbench.files.start();
		workbench.pages += 1;
		// The next page may be there before this one is gone.
		return () => {
			workbench.pages -= 1;
			if (workbench.pages === 0) close();
		};
	});

	function close(): void {
		workbench.onMessage = undefined;
		if (desk.project === workbench) desk.project = undefined;
		if (workbench.uploads.list.length === 0) desk.projects.delete(project);
		workbench.deletions.flush();
		workbench.files.close();
	}

	return workbench;
}

/** What is derived stands still when the component is gone in which it was made: here the next page goes on with it. */
function ofItsOwn<T>(make: () => T): T {
	let made: T | undefined;
	$effect.root(() => {
		made = make();
	});
	// Where pages are rendered no effect runs.
	return made ?? make();
}
