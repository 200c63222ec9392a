// What a key must be allowed for a request: the only place that knows. What only operators may do is asked where it
// is done (`requireOperator`), since a path alone does not tell.
import type { Scope } from '#lib/shared/keys.ts';
import { problem } from '../errors.ts';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A ticket is a way of reading. */
const readingPosts = new Set(['/api/stream-tickets']);
/** Asking how far an upload is belongs to uploading. */
const uploading = /^\/api\/uploads(\/|$)/;
const operators = /^\/metrics$/;

export function scopeOf(method: string, path: string): Scope {
	if (operators.test(path)) return 'admin';
	if (uploading.test(path)) return 'write';
	return reading.has(method) || readingPosts.has(path) ? 'read' : 'write';
}

export function checkScope(scopes: readonly Scope[] | undefined, needed: Scope): void {
	if (scopes && !scopes.includes(needed)) throw problem('auth.scope_missing', { details: { scope: needed } });
}
