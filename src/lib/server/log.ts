import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

const secrets = [
	'*.token',
	'*.password',
	'*.secret',
	'*.authorization',
	'*.cookie',
	'*.apiKey',
	'token',
	'password',
	'authorization',
	'cookie'
];

export function createLog(level: string, destination?: DestinationStream): Log {
	const options = { level, base: undefined, redact: { paths: secrets, censor: '(hidden)' } };
	return destination ? pino(options, destination) : pino(options);
}

export const silentLog = pino({ level: 'silent' });
