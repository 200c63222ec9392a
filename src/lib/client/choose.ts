// The browser's own dialog for what the page's file input cannot ask for: a whole folder, or the camera.
import { type Chosen, chosenBy } from './drop.ts';

type How = { isFolder?: boolean; isCamera?: boolean };

// Some browsers forget an input that nobody holds before it is answered.
let asking: HTMLInputElement | undefined;

export function chooseFiles(
	{ isFolder = false, isCamera = false }: How,
	onfiles: (files: Iterable<Chosen>) => void
): void {
	const input = document.createElement('input');
	asking = input;
	input.type = 'file';
	input.multiple = !isCamera;
	input.webkitdirectory = isFolder;
	if (isCamera) {
		input.accept = 'image/*';
		// As an attribute: desktop browsers know no such property.
		input.setAttribute('capture', 'environment');
	}
	input.addEventListener('change', () => {
		if (input.files) onfiles(chosenBy(input.files));
		if (asking === input) asking = undefined;
	});
	input.click();
}
