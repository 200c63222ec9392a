// Traces from a request to the stages of its file, for whoever collects them: spans carry ids, routes and codes, never
// names or texts. Until startTracing has been called all of this does nothing, and the library that sends is not loaded.
import {
	type Attributes,
	context,
	type Context,
	propagation,
	SpanStatusCode,
	trace
} from '@opentelemetry/api';

const name = 'asura';
const exportTimeoutMs = 2_000;

/** In the form of a `traceparent` header. */
export type TraceParent = string;

/** Errors are told by their code, and thrown on. */
export async function inSpan<T>(
	spanName: string,
	{ parent, ...attributes }: Attributes & { parent?: TraceParent | undefined },
	work: () => Promise<T>
): Promise<T> {
	return trace.getTracer(name).startActiveSpan(spanName, { attributes }, contextOf(parent), async (span) => {
		try {
			return await work();
		} catch (error) {
			const code = error instanceof Error && 'code' in error ? String(error.code) : 'unexpected';
			span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', code);
			throw error;
		} finally {
			span.end();
		}
	});
}

/** A span that is ended by what is returned. */
export function beginSpan(spanName: string, attributes: Attributes): () => void {
	const span = trace.getTracer(name).startSpan(spanName, { attributes });
	return () => span.end();
}

/** Of what is going on at this moment: said of the span around it. */
export function addToSpan(attributes: Attributes): void {
	trace.getActiveSpan()?.setAttributes(attributes);
}

/** What the current span hands on, to a job for example. */
export function currentTrace(): TraceParent | undefined {
	const carrier: { traceparent?: string } = {};
	propagation.inject(context.active(), carrier);
	return carrier.traceparent;
}

export async function startTracing(endpoint: string, role: string): Promise<() => Promise<void>> {
	const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
	const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
	const { resourceFromAttributes } = await import('@opentelemetry/resources');
	const exporter = new OTLPTraceExporter({
		url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
		timeoutMillis: exportTimeoutMs
	});
	const provider = new NodeTracerProvider({
		resource: resourceFromAttributes({ 'service.name': name, 'asura.role': role }),
		spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 1_000 })]
	});
	provider.register();
	return () => provider.shutdown();
}

function contextOf(parent: TraceParent | undefined): Context {
	const active = context.active();
	return parent ? propagation.extract(active, { traceparent: parent }) : active;
}
