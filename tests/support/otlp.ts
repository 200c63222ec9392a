// A double of a collector of traces: takes OTLP over HTTP in its JSON form and shows what came.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';

const Span = v.object({
	traceId: v.string(),
	spanId: v.string(),
	parentSpanId: v.optional(v.string()),
	name: v.string(),
	attributes: v.array(v.object({ key: v.string(), value: v.record(v.string(), v.unknown()) }))
});
const Request = v.object({
	resourceSpans: v.array(v.object({ scopeSpans: v.array(v.object({ spans: v.array(Span) })) }))
});
export type SentSpan = v.InferOutput<typeof Span>;

export async function startCollector() {
	const spans: SentSpan[] = [];
	let raw = '';
	const server = createServer((request, response) => {
		void text(request).then((body) => {
			raw += body;
			const { resourceSpans } = v.parse(Request, JSON.parse(body));
			for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
			response.setHeader('content-type', 'application/json').end('{}');
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		spans,
		/** Everything that was sent, as it was sent. */
		raw: () => raw,
		close: () => {
			server.closeAllConnections();
			server.close();
		}
	};
}
