// Sizes and types: told by the browser before sending, enforced by the server while bytes arrive.

export const limits = {
	maxFilesPerRequest: 1000,
	maxFilenameLength: 255,
	/** Of the folder that a file was in. */
	maxFolderLength: 500,
	maxFolderDepth: 20,
	/** Resumable uploads of one person that have not ended. */
	maxOpenUploads: 200,
	/** Of one question for files that are there already. */
	maxHashesAtOnce: 200,
	maxQueryLength: 400,
	maxPdfPages: 20_000,
	/** Pages of one file without text that are shown to the vision model. */
	maxVisionPages: 500,
	maxImagePixels: 268_402_689,
	processorReportBytes: 8 * 1024 ** 2,
	streamsPerUser: 8,
	listPage: 100,
	listPageMax: 500,
	/** Rows that the page is first painted with, and that it shows without JavaScript. */
	viewPage: 30,
	/** Of requests about several files. */
	maxIdsPerRequest: 1000,
	maxZipBytes: 10_000_000_000,
	passagesPage: 50,
	snapshotFrame: 500
} as const;

/** Media types that can be processed, with the words a person uses for them. */
export const readableTypes: Record<string, string> = {
	'application/pdf': 'PDF',
	'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word',
	'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'Excel',
	'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'PowerPoint',
	'application/vnd.oasis.opendocument.text': 'OpenDocument',
	'application/vnd.oasis.opendocument.spreadsheet': 'OpenDocument',
	'application/vnd.oasis.opendocument.presentation': 'OpenDocument',
	'text/plain': 'Text',
	'text/markdown': 'Markdown',
	'text/csv': 'CSV',
	'application/json': 'JSON',
	'text/html': 'HTML',
	'application/xml': 'XML',
	'message/rfc822': 'e-mail',
	'application/epub+zip': 'EPUB',
	'image/jpeg': 'JPEG',
	'image/png': 'PNG',
	'image/webp': 'WebP',
	'image/gif': 'GIF',
	'image/tiff': 'TIFF',
	'image/avif': 'AVIF',
	'image/heic': 'HEIC',
	'image/svg+xml': 'SVG'
};
