// What a person typed, as the database and the ranking need it. Anything may be typed; nothing of it reaches SQL as syntax.
import { foldText } from '#lib/server/embedder/fold.ts';
import { glue } from '#lib/server/embedder/glue.ts';

export type Query = {
	/** What was typed, without what no text can hold. */
	text: string;
	/** As texts are compared. */
	folded: string;
	/** Folded words; the last may be unfinished. */
	words: string[];
	/** Quotes, `or` and `-word` have their own meaning (websearch_to_tsquery) and are then taken at their word. */
	hasOperators: boolean;
	/** tsquery: every word, the last as the start of one. */
	allWords: string;
	/** tsquery: any of the words that say something; empty when there is only one. */
	anyWord: string;
	/** Words of scripts without spaces: full text search sees whole phrases there, so they are looked for inside. */
	unspaced: string[];
};

const wordPattern = /[\p{L}\p{N}\p{M}]+/gu;
const unspacedScript =
	/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const operators = /"|(?:^|\s)-[\p{L}\p{N}]|\sor\s/iu;
const maxWords = 32;

export function parseQuery(typed: string): Query {
	const text = typed
		.replace(/[\u0000-\u001f\u007f]/g, ' ')
		.toWellFormed()
		.trim();
	const folded = foldText(text);
	const words = [...new Set(folded.match(wordPattern) ?? [])].slice(0, maxWords);
	const telling = words.filter(isTelling);
	return {
		text,
		folded,
		words,
		hasOperators: operators.test(folded),
		allWords: words.map((word, i) => lexeme(word, i === words.length - 1)).join(' & '),
		anyWord: words.length > 1 ? telling.map((word) => lexeme(word, word === words.at(-1))).join(' | ') : '',
		unspaced: words.filter((word) => unspacedScript.test(word))
	};
}

/** The shortest words of most languages are glue, and stand in every passage. */
export function isTelling(word: string): boolean {
	return (
		word.length >= 4 ||
		(word.length === 3 && !glue.has(word)) ||
		/\p{N}/u.test(word) ||
		unspacedScript.test(word)
	);
}

// Letters, digits and marks only, so that nothing needs escaping inside the quotes.
function lexeme(word: string, isStart: boolean): string {
	return isStart ? `'${word}':*` : `'${word}'`;
}
