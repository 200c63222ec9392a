// What the three processes of the stream's benchmark say to each other.
export type Order =
	| { do: 'prepare'; people: number }
	| { do: 'measure' }
	| { do: 'broadcast'; times: number; everyMs: number }
	| { do: 'write'; person: number; writers: number; ms: number; withBell: boolean }
	| { do: 'publish'; person: number; events: number }
	| { do: 'connect'; url: string; cookies: string[]; count: number }
	| { do: 'collect' }
	| { do: 'storm'; url: string }
	| { do: 'stall'; url: string; cookie: string }
	| { do: 'release' };

export type Prepared = { url: string; cookies: string[] };
export type Measured = { usedBytes: number; residentBytes: number; cpuMs: number };
export type Written = { writes: number; perSecond: number; commits: [key: string, at: number][] };
export type Collected = { delaysMs: number[]; arrivals: [key: string, at: number][] };
export type Connected = { ms: number; refused: number; attempts: number };

/** Milliseconds on a clock that all processes of this machine share. */
export function sharedNow(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}
