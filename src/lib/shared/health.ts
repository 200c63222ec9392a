// What the health endpoints say.
import * as v from 'valibot';

export const HealthAnswer = v.object({ status: v.literal('ok') });
export const ReadyAnswer = v.object({
	status: v.literal('ok'),
	parts: v.record(v.string(), v.picklist(['ok', 'down']))
});
