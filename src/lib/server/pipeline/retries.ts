/**
 * A provider that does not answer gets this many chances, further and further apart: about eight minutes of
 * waiting. With the minute that it may be silent each time (patience.ts) a file ends within a quarter of an hour.
 */
export const retryAfterSeconds: readonly number[] = [5, 30, 120, 300];
