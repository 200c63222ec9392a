const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Begins a transaction; with a user, as that user, so that row-level security holds until it ends. */
export function beginAs(userId: string | undefined): string {
	if (userId === undefined) return 'begin';
	// One round trip: a script takes no parameters, so the only thing inserted must be harmless.
	if (!uuid.test(userId)) throw new Error(`Not a user id: ${JSON.stringify(userId)}`);
	return (
		`begin; set local role authenticated; ` +
		`set local request.jwt.claims = '{"sub":"${userId}","role":"authenticated"}'`
	);
}
