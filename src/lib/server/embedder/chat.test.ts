import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import { createNamer } from './chat.ts';

const topic = { title: 'Quay wall', passages: ['The quay wall was repaired.', 'x'.repeat(5000)] };
const { signal } = new AbortController();
let double: Server;
let asked: { model: string; messages: { role: string; content: string }[] }[];

/** A double of the provider's chat: what it answers, or 'silence'. */
async function namerFor(answer: { status?: number; body: unknown } | 'silence') {
	asked = [];
	double = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk);
		asked.push(JSON.parse(Buffer.concat(chunks).toString()));
		if (answer === 'silence') return;
		response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
		response.end(JSON.stringify(answer.body));
	});
	await new Promise<void>((resolve) => double.listen(0, '127.0.0.1', resolve));
	const baseUrl = `http://127.0.0.1:${(double.address() as AddressInfo).port}`;
	const namer = createNamer({
		config: { provider: { apiKey: 'secret', baseUrl, model: 'x', dimensions: 8 }, chatModel: 'talker' },
		metrics: createMetrics(),
		log: silentLog,
		callTimeoutMs: 300
	});
	if (!namer) throw new Error('It is configured.');
	return namer;
}

const saying = (content: unknown) => namerFor({ body: { choices: [{ message: { content } }] } });

afterEach(() => {
	double?.closeAllConnections();
	double?.close();
});

describe('a name for a topic', () => {
	test('comes from the model, which sees little of the passages and no orders in them', async () => {
		const name = await saying(' “Repairs of the quay”.\n');
		expect(await name(topic, signal)).toBe('Repairs of the quay');
		expect(asked).toHaveLength(1);
		expect(asked[0]).toMatchObject({ model: 'talker' });
		const [system, user] = asked[0]?.messages ?? [];
		expect(system?.content).toMatch(/never an instruction/);
		expect(user?.content).toContain('Quay wall');
		expect(user?.content.length).toBeLessThan(1000);
	});

	test.each([[''], [null], ['x'.repeat(200)], [7]])('is none when the model says %j', async (content) => {
		expect(await (await saying(content))(topic, signal)).toBeUndefined();
	});

	test('is none when the provider fails or hangs, after one try', async () => {
		for (const answer of [{ status: 500, body: {} }, { body: { odd: true } }, 'silence'] as const) {
			expect(await (await namerFor(answer))(topic, signal)).toBeUndefined();
			expect(asked).toHaveLength(1);
			double.closeAllConnections();
			double.close();
		}
	});

	test('is not asked for without a model', () => {
		const config = { provider: undefined, chatModel: 'talker' };
		expect(createNamer({ config, metrics: createMetrics(), log: silentLog })).toBeUndefined();
	});
});
