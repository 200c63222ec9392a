import { expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import { createApi } from './api.ts';

/** An API whose server gives this answer, and what was asked of it. */
function apiThat(answer: unknown, status = 202) {
	const asked: { url: string; method: string | undefined; body: unknown }[] = [];
	const api = createApi(async (url, init) => {
		const body = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
		asked.push({ url: String(url), method: init?.method, body });
		return Response.json(answer, { status });
	});
	return { api, asked };
}

it('a file is asked to be processed again, from the beginning', async () => {
	const file = aFile({ status: 'pending' });
	const { api, asked } = apiThat(file);
	expect(await api.retry(file.id, { again: true })).toEqual(file);
	expect(asked).toEqual([{ url: `/api/files/${file.id}/retry`, method: 'POST', body: { again: true } }]);
});

it('a retry without a password sends none', async () => {
	const { api, asked } = apiThat(aFile());
	await api.retry('x', { password: undefined });
	expect(asked[0]?.body).toEqual({});
});

it('a file that does not wait any more is not put first, and the refusal can be shown as it is', async () => {
	const message = 'The file does not wait for its turn.';
	const { api, asked } = apiThat({ code: 'file.not_waiting', message, requestId: 'r' }, 409);
	await expect(api.next('x')).rejects.toMatchObject({ code: 'file.not_waiting', message, status: 409 });
	expect(asked[0]).toMatchObject({ url: '/api/files/x/next', method: 'POST' });
});

it('all that failed are asked for at once', async () => {
	const files = [aFile({ status: 'pending' }), aFile({ status: 'pending' })];
	const { api, asked } = apiThat({ files });
	expect(await api.retryFailed()).toEqual(files);
	expect(asked).toEqual([{ url: '/api/files/retry', method: 'POST', body: { status: 'failed' } }]);
});
