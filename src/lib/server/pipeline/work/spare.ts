// Loads what most small files need, so that a thread has it when one comes.
import './compress.ts';
import './extract.ts';
import './readers/text.ts';
import './squeeze/text.ts';

export default function ready(): void {
	// being here is all
}
