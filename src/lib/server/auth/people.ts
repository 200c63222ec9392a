// Who a person is, in auth.users and auth.identities: the only SQL that knows these tables.
//
// A person is the provider's subject, never the e-mail address: addresses change hands. An address belongs to one
// account; a second subject that brings it is refused, neither merged nor given a silent second account
// (docs/decisions/022).
import type { Person, Tx } from '../platform/platform.ts';
import { problem } from '../errors.ts';

export type Arriving = {
	provider: string;
	person: Person;
	at: Date;
	/** The provider writes both tables itself (Identity.keepsUsers). */
	isKept: boolean;
};

/** The id of the user that this subject is, added at the first sign-in. */
export async function admitPerson(tx: Tx, arriving: Arriving): Promise<string> {
	if (arriving.isKept) return await findKept(tx, arriving);
	const known = await findUser(tx, arriving);
	if (known) return await refresh(tx, known, arriving);
	const added = await add(tx, arriving);
	if (added) return added;
	// Somebody has the address: this very person in a parallel first sign-in, or another one.
	const same = await findUser(tx, arriving);
	if (same) return same;
	throw problem('auth.address_taken');
}

/** Columns of a session's person, for a join with auth.users as u. */
export const personColumns = `coalesce(u.email, '') as email, coalesce(u.raw_user_meta_data ->> 'name', '') as name`;

/** The account, and with it its identities, sessions and notifications. Signing in again makes a new one. */
export async function removePerson(tx: Tx, userId: string): Promise<void> {
	await tx.query('delete from auth.users where id = $1::uuid', [userId]);
}

/** The row is there before the person arrives, or they come from another project than the database. */
async function findKept(tx: Tx, { person }: Arriving): Promise<string> {
	const { rows } = await tx.query<{ id: string }>('select id::text from auth.users where id = $1::uuid', [
		person.subject
	]);
	if (rows[0]) return rows[0].id;
	throw problem('auth.refused', {
		cause: new Error('the database knows no such user: is it the project’s own?')
	});
}

async function findUser(tx: Tx, { provider, person }: Arriving): Promise<string | undefined> {
	const { rows } = await tx.query<{ user_id: string }>(
		'select user_id::text from auth.identities where provider = $1 and provider_id = $2',
		[provider, person.subject]
	);
	return rows[0]?.user_id;
}

async function refresh(tx: Tx, userId: string, { person, at }: Arriving): Promise<string> {
	const { rowCount } = await tx.query(
		`update auth.users u set email = $2, last_sign_in_at = $4::timestamptz,
			raw_user_meta_data = coalesce(u.raw_user_meta_data, '{}') || jsonb_build_object('name', $3::text)
		where u.id = $1::uuid and not exists (select from auth.users o where o.email = $2 and o.id <> $1::uuid)`,
		[userId, person.email, person.name, at.toISOString()]
	);
	if (rowCount === 0) throw problem('auth.address_taken');
	return userId;
}

async function add(tx: Tx, { provider, person, at }: Arriving): Promise<string | undefined> {
	const { rows } = await tx.query<{ id: string }>(
		`insert into auth.users (email, raw_user_meta_data, last_sign_in_at)
		values ($1, jsonb_build_object('name', $2::text), $3::timestamptz) on conflict do nothing returning id::text`,
		[person.email, person.name, at.toISOString()]
	);
	const userId = rows[0]?.id;
	if (userId === undefined) return undefined;
	await tx.query('insert into auth.identities (provider, provider_id, user_id) values ($1, $2, $3::uuid)', [
		provider,
		person.subject,
		userId
	]);
	return userId;
}
