/** A provider that does not answer gets this many chances, further and further apart: about eight minutes. */
export const retryAfterSeconds: readonly number[] = [5, 15, 45, 120, 300];
