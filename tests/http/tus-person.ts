// tus 1.0 in the hands of a test: plain requests, so that the protocol is what is tested, not a client.
import type { Person } from './person.ts';

export const tusHeaders = { 'tus-resumable': '1.0.0' };
const bytesType = 'application/offset+octet-stream';

export type NewUpload = {
	size: number;
	filename?: string;
	sha256?: string;
	path?: string;
	project?: string;
	headers?: Record<string, string>;
	/** Sent with the creation. */
	body?: Buffer;
};

export function aTusPerson(person: Pick<Person, 'ask'>) {
	const { ask } = person;

	function create({
		size,
		filename = 'notes.txt',
		headers = {},
		body,
		...more
	}: NewUpload): Promise<Response> {
		const metadata = Object.entries({ filename, ...more })
			.map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
			.join(',');
		return ask('/api/uploads', {
			method: 'POST',
			headers: {
				...tusHeaders,
				'upload-length': String(size),
				'upload-metadata': metadata,
				...(body && { 'content-type': bytesType }),
				...headers
			},
			...(body && { body: new Uint8Array(body) })
		});
	}

	return {
		create,
		/** The address of a new upload that is expected to be taken. */
		async begin(upload: NewUpload): Promise<string> {
			const answer = await create(upload);
			if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
			return answer.headers.get('location') ?? '';
		},
		patch: (url: string, offset: number, body: Buffer, headers: Record<string, string> = {}) =>
			ask(url, {
				method: 'PATCH',
				headers: { ...tusHeaders, 'upload-offset': String(offset), 'content-type': bytesType, ...headers },
				body: new Uint8Array(body)
			}),
		head: (url: string) => ask(url, { method: 'HEAD', headers: tusHeaders }),
		terminate: (url: string) => ask(url, { method: 'DELETE', headers: tusHeaders })
	};
}

export async function said(answer: Response): Promise<string> {
	return `${answer.status} ${(await answer.json()).code}`;
}
