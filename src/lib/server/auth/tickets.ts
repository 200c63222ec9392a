// Stream tickets: an EventSource of another origin can send neither header nor cookie, so it brings a ticket in its
// address. A ticket is good once and for a minute, and worth no more than the session or key that asked for it.
import * as v from 'valibot';
import type { TicketAnswer } from '#lib/shared/keys.ts';
import type { Db } from '../platform/platform.ts';
import { hash, newToken } from './tokens.ts';

export const ticketMs = 60_000;
const keptPerPerson = 64;

export type Tickets = ReturnType<typeof createTickets>;

const Source = v.object({ sourceId: v.string() });

export function createTickets({ db, now }: { db: Db; now: () => Date }) {
	return {
		async make({ id, userId }: { id: string; userId: string }): Promise<TicketAnswer> {
			const at = now();
			const ticket = newToken();
			const expiresAt = new Date(at.getTime() + ticketMs).toISOString();
			await db.tx(async (tx) => {
				// Whoever asks for very many loses the oldest.
				await tx.query(
					`delete from asura.stream_tickets where expires_at <= $2::timestamptz or ticket_hash in (
						select ticket_hash from asura.stream_tickets where user_id = $1::uuid
						order by created_at desc offset ${keptPerPerson - 1})`,
					[userId, at.toISOString()]
				);
				await tx.query(
					`insert into asura.stream_tickets (ticket_hash, user_id, source_id, created_at, expires_at)
					values ($1, $2::uuid, $3::uuid, $4::timestamptz, $5::timestamptz)`,
					[hash(ticket), userId, id, at.toISOString(), expiresAt]
				);
			});
			return { ticket, expires_at: expiresAt };
		},

		/** The session or key that asked for it; the ticket is used up, whatever comes next. */
		async redeem(ticket: string): Promise<string | undefined> {
			const { rows } = await db.query(
				`with used as (delete from asura.stream_tickets where ticket_hash = $1 returning source_id, expires_at)
				select source_id::text as "sourceId" from used where expires_at > $2::timestamptz`,
				[hash(ticket), now().toISOString()]
			);
			return rows[0] && v.parse(Source, rows[0]).sourceId;
		}
	};
}
