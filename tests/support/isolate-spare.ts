// What a thread that stands by runs, for isolate.test.ts: it says that it is there.
import { BroadcastChannel } from 'node:worker_threads';

export const spareChannel = 'asura-test-spare';

export default function ready(): void {
	const channel = new BroadcastChannel(spareChannel);
	channel.postMessage('ready');
	channel.close();
}
