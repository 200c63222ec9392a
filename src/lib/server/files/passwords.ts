// Passwords of protected files, from the request that brings one to the work that needs it. In memory only: never in
// a row, a job or a log. When the process ends first, the file fails as protected once more and its owner is asked
// again (docs/decisions/033).
const keptForMs = 3_600_000;

export type Passwords = ReturnType<typeof createPasswords>;

export function createPasswords() {
	const passwords = new Map<string, { password: string; timer: NodeJS.Timeout }>();
	const forget = (fileId: string) => {
		clearTimeout(passwords.get(fileId)?.timer);
		passwords.delete(fileId);
	};
	return {
		keep(fileId: string, password: string): void {
			forget(fileId);
			passwords.set(fileId, { password, timer: setTimeout(forget, keptForMs, fileId).unref() });
		},
		find: (fileId: string) => passwords.get(fileId)?.password,
		forget
	};
}
