// What a browser says of itself, in the words of a person. What is not known is not guessed.
const browsers: [RegExp, string][] = [
	[/\bEdg(?:e|A|iOS)?\//, 'Edge'],
	[/\bOPR\//, 'Opera'],
	[/\bFirefox\/|\bFxiOS\//, 'Firefox'],
	[/\bSamsungBrowser\//, 'Samsung Internet'],
	[/\b(?:Headless)?Chrom(?:e|ium)\/|\bCriOS\//, 'Chrome'],
	[/\bVersion\/.*\bSafari\//, 'Safari'],
	[/^curl\//, 'curl']
];
const systems: [RegExp, string][] = [
	[/iPhone/, 'iPhone'],
	[/iPad/, 'iPad'],
	[/Android/, 'Android'],
	[/Windows/, 'Windows'],
	[/Mac OS X|Macintosh/, 'Mac'],
	[/CrOS/, 'ChromeOS'],
	[/Linux/, 'Linux']
];

export function deviceOf(userAgent: string): string {
	const named = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
	const browser = named(browsers);
	const system = named(systems);
	if (browser && system) return `${browser} on ${system}`;
	return browser ?? system ?? 'A program';
}
