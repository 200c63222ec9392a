// The files of a drop or a paste. A dropped folder is walked; a browser gives at most 100 entries at a time.
export async function filesOf(transfer: DataTransfer): Promise<File[]> {
	// Entries must be taken before the first await: the browser empties the transfer when the event is over.
	const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(
		(entry) => entry !== null
	);
	if (entries.length === 0) return [...transfer.files];
	return (await Promise.all(entries.map(walk))).flat();
}

export function holdsFiles(transfer: DataTransfer | null): boolean {
	return transfer?.types.includes('Files') ?? false;
}

async function walk(entry: FileSystemEntry): Promise<File[]> {
	if (isFile(entry)) return [await new Promise<File>((resolve, reject) => entry.file(resolve, reject))];
	if (!isFolder(entry)) return [];
	const found: FileSystemEntry[] = [];
	for (const reader = entry.createReader(); ;) {
		const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
			reader.readEntries(resolve, reject)
		);
		if (some.length === 0) break;
		found.push(...some);
	}
	return (await Promise.all(found.map(walk))).flat();
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
	return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
	return entry.isDirectory;
}
