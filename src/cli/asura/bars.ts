// One live line per file: its name, the stage track as characters, and what is happening now. What has ended scrolls up
// and stays; only the lines that still move are drawn again, at most ten times a second.
import type { Segment } from '#lib/client/track.ts';
import { harmless, type Output } from './output.ts';

export type Bar = { name: string; segments: readonly Segment[]; line: string };

const drawMs = 100;
const cells = 4;

export function createBars(out: Output) {
	const bars = new Map<unknown, Bar>();
	const ended: string[] = [];
	let drawn = 0;
	let timer: NodeJS.Timeout | undefined;

	function draw(): void {
		timer = undefined;
		const most = Math.max(1, out.rows - 2);
		const shown = [...bars.values()].slice(0, most).map((bar) => lineOf(bar, out));
		if (bars.size > most) shown.push(out.dim(`and ${bars.size - most} more`));
		const up = drawn > 0 ? `\x1b[${drawn}A` : '';
		const lines = [...ended.splice(0), ...shown].map((line) => `${line}\n`).join('');
		// Without wrapping: a line that takes two, of a wide script or a narrow terminal, would never be erased whole.
		out.raw(`\x1b[?25l\x1b[?7l${up}\r\x1b[0J${lines}\x1b[?7h`);
		drawn = shown.length;
	}

	return {
		set(id: unknown, bar: Bar): void {
			bars.set(id, bar);
			timer ??= setTimeout(draw, drawMs);
		},
		remove(id: unknown): void {
			bars.delete(id);
		},
		/** From now on its line stays as it is. */
		end(id: unknown, bar: Bar): void {
			bars.delete(id);
			ended.push(lineOf(bar, out));
			timer ??= setTimeout(draw, drawMs);
		},
		/** Leaves the terminal as it was. */
		close(): void {
			clearTimeout(timer);
			draw();
			out.raw('\x1b[?25h');
		}
	};
}

/** "report.pdf           ━━━━ ━━━━ ━━╸─ ──── ────  Reading page 12 of 40" */
export function lineOf({ name, segments, line }: Bar, out: Output): string {
	const track = segments.map((segment) => cellsOf(segment, out)).join(' ');
	const nameWidth = Math.max(12, Math.min(32, out.columns - 60));
	const rest = out.columns - nameWidth - segments.length * (cells + 1) - 4;
	return `${fit(name, nameWidth).padEnd(nameWidth)}  ${track}  ${out.dim(fit(line, Math.max(10, rest)))}`;
}

function cellsOf({ state, share }: Segment, out: Output): string {
	if (state === 'stopped') return out.dim('╌'.repeat(cells));
	// What nobody knows is not pretended.
	if (share === null) return out.accent('┄'.repeat(cells));
	const halves = Math.floor(share * cells * 2);
	const filled = '━'.repeat(halves >> 1) + (halves % 2 ? '╸' : '');
	const coloured = state === 'now' ? out.accent(filled) : filled;
	return coloured + out.dim('─'.repeat(cells - filled.length));
}

function fit(text: string, width: number): string {
	const characters = [...harmless(text)];
	return characters.length <= width ? characters.join('') : `${characters.slice(0, width - 1).join('')}…`;
}
