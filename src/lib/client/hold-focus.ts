// A button that goes away under one's fingers must not take the keyboard's place with it: the focus moves to what is
// nearest, instead of falling back to the top of the page.

/** For a list: the row that takes the lost one's place. For anything else: its first link or button. */
export function holdFocus(node: HTMLElement): () => void {
	let last: { element: Element; row: number } | undefined;

	node.dataset.holdsFocus = '';

	const note = ({ target }: FocusEvent) => {
		// What stands in a list inside is the list's to hold.
		if (!(target instanceof Element) || target.closest('[data-holds-focus]') !== node) return;
		const row = [...node.children].findIndex((child) => child.contains(target));
		last = { element: target, row };
	};
	// Somebody moved on; or the element is just being taken away, which is known a moment later.
	const forget = ({ target, relatedTarget }: FocusEvent) => {
		const forgetIfThere = () => {
			if (target instanceof Element && target.isConnected && isShown(target)) last = undefined;
		};
		if (relatedTarget) forgetIfThere();
		else setTimeout(forgetIfThere);
	};
	const observer = new MutationObserver(() => {
		if (!last || (last.element.isConnected && isShown(last.element))) return;
		const { row } = last;
		last = undefined;
		if (document.activeElement !== document.body && document.activeElement !== null) return;
		const place = node.children[Math.min(row, node.children.length - 1)] ?? node;
		const next =
			place.querySelector<HTMLElement>('[data-focus]') ?? firstIn(place) ?? firstIn(node) ?? firstInMain();
		next?.focus({ preventScroll: true });
	});

	node.addEventListener('focusin', note);
	node.addEventListener('focusout', forget);
	observer.observe(node, { childList: true, subtree: true });
	return () => {
		observer.disconnect();
		node.removeEventListener('focusin', note);
		node.removeEventListener('focusout', forget);
	};
}

function firstInMain(): HTMLElement | undefined {
	const main = document.querySelector('main');
	return main ? firstIn(main) : undefined;
}

function firstIn(place: Element): HTMLElement | undefined {
	const candidates = place.querySelectorAll<HTMLElement>(
		'a[href], button:not(:disabled), input:not(:disabled)'
	);
	return [...candidates].find(isShown);
}

function isShown(element: Element): boolean {
	return element.getClientRects().length > 0;
}
