// The files of a drop, a paste or a choice, each with the folder that it was in. A dropped folder is walked; a browser
// gives at most 100 entries at a time.
export type Chosen = { file: File; folder: string };

/** Of one drop: a folder that holds more is not what somebody meant. */
const maxFiles = 10_000;

export async function chosenOf(transfer: DataTransfer): Promise<Chosen[]> {
	// Entries must be taken before the first await: the browser empties the transfer when the event is over.
	const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(
		(entry) => entry !== null
	);
	if (entries.length === 0) return Array.from(transfer.files, (file) => ({ file, folder: '' }));
	const found: Chosen[] = [];
	for (const entry of entries) await walk(entry, '', found);
	return found;
}

/** A file input's; one for folders tells the way to each file. */
export function chosenBy(files: Iterable<File>): Chosen[] {
	const chosen = Array.from(files, (file) => ({
		file,
		folder: file.webkitRelativePath.split('/').slice(0, -1).join('/')
	}));
	return chosen.filter(({ file, folder }) => folder === '' || !isHidden(file.name, folder));
}

export function holdsFiles(transfer: DataTransfer | null): boolean {
	return transfer?.types.includes('Files') ?? false;
}

async function walk(entry: FileSystemEntry, folder: string, found: Chosen[]): Promise<void> {
	if (found.length >= maxFiles || (folder !== '' && isHidden(entry.name))) return;
	if (isFile(entry)) {
		const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
		found.push({ file, folder });
		return;
	}
	if (!isFolder(entry)) return;
	const inside = folder === '' ? entry.name : `${folder}/${entry.name}`;
	for (const reader = entry.createReader(); ;) {
		const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
			reader.readEntries(resolve, reject)
		);
		if (some.length === 0) return;
		for (const one of some) await walk(one, inside, found);
	}
}

/** What systems and programs leave in folders for themselves. Chosen by name, it is taken. */
function isHidden(...names: string[]): boolean {
	return names
		.flatMap((name) => name.split('/'))
		.some(
			(name) => name.startsWith('.') || name.startsWith('~$') || /^(thumbs\.db|desktop\.ini)$/i.test(name)
		);
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
	return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
	return entry.isDirectory;
}
