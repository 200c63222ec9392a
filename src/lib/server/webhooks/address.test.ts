import { lookup as resolve } from 'node:dns';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAddresses, isPublic, type Resolve } from './address.ts';
import { createSend } from './send.ts';
import { type Receiver, startReceiver } from '../../../../tests/support/receiver.ts';

const { signal } = new AbortController();
const message = { id: 'one', secrets: ['whsec_c2VjcmV0'], body: '{}' };

describe('addresses', () => {
	it.each([
		['8.8.8.8', true],
		['2606:4700::1111', true],
		['127.0.0.1', false],
		['10.1.2.3', false],
		['172.16.0.1', false],
		['192.168.1.1', false],
		['169.254.169.254', false],
		['100.64.0.1', false],
		['0.0.0.0', false],
		['224.0.0.1', false],
		['255.255.255.255', false],
		['198.18.0.1', false],
		['::1', false],
		['::', false],
		['fe80::1', false],
		['fd00:ec2::254', false],
		['::ffff:127.0.0.1', false],
		['::7f00:1', false],
		['4000::1', false],
		['::ffff:10.0.0.1', false],
		['64:ff9b::7f00:1', false],
		['2002:7f00:1::', false],
		['2001:0:7f00:1::', false],
		['no address', false]
	])('%s is public: %s', (address, expected) => expect(isPublic(address)).toBe(expected));

	it.each([
		'http://example.org/',
		'ftp://example.org/',
		'file:///etc/passwd',
		'https://user:secret@example.org/',
		'https://127.0.0.1/',
		'https://2130706433/',
		'https://0x7f.1/',
		'https://017700000001/',
		'https://[::1]/',
		'https://[::ffff:127.0.0.1]/',
		'https://169.254.169.254/latest/meta-data'
	])('%s is refused when it is entered', (url) => {
		const { check } = createAddresses({ allowPrivate: false });
		expect(() => check(url)).toThrow(expect.objectContaining({ code: 'webhook.address_refused' }));
	});

	it('lets public ones pass, and the operator allow the others', () => {
		expect(createAddresses({ allowPrivate: false }).check('https://example.org/x').host).toBe('example.org');
		expect(createAddresses({ allowPrivate: true }).check('http://127.0.0.1:1/').port).toBe('1');
	});
});

describe('at the time of the delivery', () => {
	let receiver: Receiver;
	beforeEach(async () => {
		receiver = await startReceiver();
	});
	afterEach(() => receiver.close());

	const sendTo = (resolve: Resolve, allowPrivate = false) => {
		const { port } = new URL(receiver.url);
		const send = createSend({ addresses: createAddresses({ allowPrivate, resolve }), timeoutMs: 2000 });
		const scheme = allowPrivate ? 'http' : 'https';
		return send({ ...message, url: `${scheme}://hooks.example.org:${port}/` }, signal);
	};

	it('a name that leads to a private address is refused, and nothing is sent', async () => {
		const outcome = await sendTo((_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]));
		expect(outcome).toMatchObject({
			isDelivered: false,
			error: 'The name leads to an address that is not public.'
		});
		expect(receiver.received).toEqual([]);
	});

	it('a private address among public ones is refused as well', async () => {
		const addresses = [
			{ address: '8.8.8.8', family: 4 },
			{ address: '10.0.0.1', family: 4 }
		];
		const outcome = await sendTo((_, done) => done(null, addresses));
		expect(outcome.error).toBe('The name leads to an address that is not public.');
	});

	it('the name is asked for once, and what was judged is what is connected to', async () => {
		let asked = 0;
		// Whoever asked a second time would be led elsewhere.
		const outcome = await sendTo((_, done) => {
			const address = asked++ === 0 ? '127.0.0.1' : '127.0.0.2';
			done(null, [{ address, family: 4 }]);
		}, true);
		expect(outcome).toMatchObject({ isDelivered: true, status: 200 });
		expect(asked).toBe(1);
		expect(receiver.received[0]?.headers.host).toMatch(/^hooks\.example\.org/);
	});

	it('says when nobody is there, or the name does not exist', async () => {
		const nobody = await sendTo((_, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []));
		expect(nobody.error).toBe('The receiver cannot be reached (ENOTFOUND).');
		await receiver.close();
		const closed = await sendTo((_, done) => resolve('127.0.0.1', { all: true }, done), true);
		expect(closed.error).toBe('The receiver cannot be reached (ECONNREFUSED).');
	});
});
