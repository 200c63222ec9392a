// The files of static/samples, for the first minute.
export const samples = [] as const;
