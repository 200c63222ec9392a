// Light, dark, or as the system has it. Remembered in a cookie: app.html reads it before the first paint.
export const themes = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof themes)[number];

const yearInSeconds = 365 * 24 * 3600;

export class Theme {
	#chosen = $state<ThemeName>('system');

	get chosen(): ThemeName {
		return this.#chosen;
	}

	/** What app.html put on the document. */
	read(): void {
		const { theme } = document.documentElement.dataset;
		this.#chosen = theme === 'light' || theme === 'dark' ? theme : 'system';
	}

	choose(name: ThemeName): void {
		this.#chosen = name;
		const { dataset } = document.documentElement;
		if (name === 'system') delete dataset.theme;
		else dataset.theme = name;
		const age = name === 'system' ? 0 : yearInSeconds;
		document.cookie = `theme=${name}; path=/; max-age=${age}; samesite=lax`;
	}
}
