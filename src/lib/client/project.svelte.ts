// A project on the desk: a workbench of its own, fed by the project's stream, for as long as its page is open.
import { onMount } from 'svelte';
import { getWorkbench, setWorkbench, Workbench, type WorkbenchOptions } from './workbench.svelte.ts';

type Options = Omit<WorkbenchOptions, 'notices'> & { canWrite: boolean };

/** While a component is made; what stands in it gets this workbench instead of the desk's. */
export function openProject({ canWrite, ...options }: Options): Workbench {
	const desk = getWorkbench();
	const workbench = setWorkbench(new Workbench({ ...options, notices: desk.notices }));
	workbench.canWrite = canWrite;
	onMount(() => {
		workbench.files.start();
		desk.project = workbench;
		return () => {
			desk.project = undefined;
			workbench.deletions.flush();
			workbench.files.close();
		};
	});
	return workbench;
}
