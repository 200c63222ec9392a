// What can be done with a file that is being sent, in the order in which it is offered.
import { canPause, type Upload } from './uploads.svelte.ts';

export type UploadAction = 'pause' | 'resume' | 'keep' | 'remove';

export function uploadActionsFor(upload: Upload): UploadAction[] {
	if (upload.state === 'known') return ['keep', 'remove'];
	if (upload.state === 'paused') return ['resume', 'remove'];
	return canPause(upload) ? ['pause', 'remove'] : ['remove'];
}

export function uploadActionName(action: UploadAction, { state }: Upload): string {
	if (action === 'remove') return state === 'known' ? 'Skip' : 'Stop sending';
	return { pause: 'Pause', resume: 'Resume', keep: 'Keep both' }[action];
}
