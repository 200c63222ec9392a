// What every Db throws when the database refuses a statement, whichever driver is behind it.
const fields = [
	'code',
	'severity',
	'detail',
	'hint',
	'where',
	'schema',
	'table',
	'column',
	'constraint'
] as const;

export type DbErrorFields = { message: string } & Partial<Record<(typeof fields)[number], string>>;

export class DbError extends Error {
	override readonly name = 'DbError';
	/** SQLSTATE, such as 23505 for a violated unique constraint; undefined when the database itself did not answer. */
	readonly code: string | undefined;
	readonly detail: string | undefined;
	readonly table: string | undefined;
	readonly column: string | undefined;
	readonly constraint: string | undefined;

	constructor(from: DbErrorFields, options?: ErrorOptions) {
		super(from.message, options);
		this.code = from.code;
		this.detail = from.detail;
		this.table = from.table;
		this.column = from.column;
		this.constraint = from.constraint;
	}
}

/** Plain, so that it can cross a thread. Parameters are left out on purpose: they may hold what no log should. */
export function dbErrorFields(error: unknown): DbErrorFields {
	const result: DbErrorFields = { message: error instanceof Error ? error.message : String(error) };
	if (typeof error !== 'object' || error === null) return result;
	for (const field of fields) {
		const value: unknown = Reflect.get(error, field);
		if (typeof value === 'string') result[field] = value;
	}
	return result;
}
