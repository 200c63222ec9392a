import type { IncomingMessage } from 'node:http';
import type { App as AsuraApp } from '#lib/server/app.ts';
import type { Session } from '#lib/server/auth/auth.ts';
import type { AppError } from '#lib/server/errors.ts';
import type { ErrorBody } from '#lib/shared/errors.ts';

declare global {
	namespace App {
		interface Locals {
			app: AsuraApp;
			session: Session | undefined;
			requestId: string;
			/** What went wrong while this request was answered; hooks.server.ts makes the response of it. */
			failure: AppError | undefined;
		}
		/** adapter-node's: the request as Node has it. Not there in development. */
		interface Platform {
			req: IncomingMessage;
		}
		interface Error extends ErrorBody {}
	}
}

export {};
