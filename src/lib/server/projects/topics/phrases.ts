// The phrases of a passage: one to three words in a row that could name a topic. Pure, and the same for the same text.
import { foldText } from '../../embedder/fold.ts';

export type Phrase = {
	/** By which phrases are the same: folded, without the s of a plural. */
	key: string;
	/** As it stands in the text. */
	surface: string;
	words: number;
};

const longest = 3;
const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu;
/** Nothing that names something goes beyond these. */
const boundary = /[.!?;:,()[\]{}"“”„«»|/\\\n\t]+/u;

/** Words that say nothing by themselves, in the languages that most people write in; others are found by how common they are. */
const glue = new Set(
	`a an and are as at be been but by can could did do does for from had has have he her his how if in into is it its may
	more most must no nor not of on once only or other our out over shall she should so some such than that the their them
	then there these they this those through to under until up upon was we were what when where which while who whose will
	with would you your also about after all any because before being between both each every further here just like made
	make many much new one per same since still two use used using very well within without
	aber als am an auch auf aus bei bis das dass dem den der des die dies diese dieser dieses durch ein eine einem einen
	einer eines er es für hat ich ihr im in ist kann mit nach nicht noch nur oder sein sich sie sind so über um und uns
	unter vom von vor war wenn werden wie wir wird zu zum zur
	au aux avec ce ces cette dans de des du elle en est et il ils la le les leur lui mais ne nous on ou par pas plus pour
	que qui sa se ses son sont sur un une vous y
	al como con del el ella ello en era es esta este fue ha la las lo los más muy no o para pero por que se ser si sin sobre
	su sus también un una y ya`.split(/\s+/)
);

export function phrasesOf(text: string): Phrase[] {
	return text.split(boundary).flatMap((part) => phrasesIn([...part.matchAll(word)].map(([found]) => found)));
}

function phrasesIn(words: readonly string[]): Phrase[] {
	const stems = words.map(stemOf);
	const phrases: Phrase[] = [];
	for (let from = 0; from < words.length; from += 1) {
		if (stems[from] === undefined) continue;
		for (let size = 1; size <= longest && from + size <= words.length; size += 1) {
			if (stems[from + size - 1] === undefined) continue;
			const inside = stems.slice(from, from + size);
			// "cost of living" is a name, "cost of the" is none; glue is kept inside only.
			const key = inside.map((stem, i) => stem ?? foldText(words[from + i] ?? '')).join(' ');
			if (size === 1 && key.length < 4) continue;
			phrases.push({ key, surface: words.slice(from, from + size).join(' '), words: size });
		}
	}
	return phrases;
}

/** undefined: it says nothing by itself. */
function stemOf(surface: string): string | undefined {
	const folded = foldText(surface).replace(/['’]s?$/u, '');
	if (folded.length < 3 || glue.has(folded) || glue.has(surface.toLowerCase()) || /^[\d'’-]+$/u.test(folded))
		return undefined;
	return folded.length > 4 && /[^s]s$/u.test(folded) ? folded.slice(0, -1) : folded;
}
