// The files of static/samples (made by tests/support/make-samples.ts), for the first minute.
export const samples = [
	'/samples/lighthouse-handbook.pdf',
	'/samples/harbour-at-dusk.jpg',
	'/samples/winter-birds.md'
] as const;
