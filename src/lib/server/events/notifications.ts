// Notifications for people who are away: at most a hundred for each, for a month at most.
import * as v from 'valibot';
import { NamedEvent } from '#lib/shared/events.ts';
import type { Db } from '../platform/platform.ts';

const maxKept = 100;
const Kept = v.array(NamedEvent);

export function createNotifications(db: Db) {
	return {
		/** A person who does not exist gets nothing kept. */
		async keep(userId: string, { id, eventType, timestamp, data }: NamedEvent): Promise<void> {
			await db.tx(async (tx) => {
				await tx.query(
					`insert into asura.notifications (id, user_id, event, data, created_at)
					 select $1::uuid, u.id, $3, $4::jsonb, $5::timestamptz from auth.users u where u.id = $2::uuid`,
					[id, userId, eventType, JSON.stringify(data), timestamp]
				);
				await tx.query(
					`delete from asura.notifications where id in (
						select id from asura.notifications where user_id = $1::uuid order by created_at desc, id offset $2
					)`,
					[userId, maxKept]
				);
			});
		},

		async of(userId: string): Promise<NamedEvent[]> {
			const { rows } = await db.query(
				`select id::text, event as "eventType", data, true as kept,
					to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as timestamp
				 from asura.notifications where user_id = $1::uuid order by created_at, id`,
				[userId]
			);
			return v.parse(Kept, rows);
		},

		async seen(userId: string, ids: readonly string[]): Promise<void> {
			await db.query(
				'delete from asura.notifications where user_id = $1::uuid and id = any($2::text[]::uuid[])',
				[userId, ids]
			);
		},

		async prune(): Promise<void> {
			await db.query(`delete from asura.notifications where created_at < now() - interval '30 days'`);
		}
	};
}
