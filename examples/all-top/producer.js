// Exposes this machine's load, in the reference's names, until it is stopped: node producer.js [ROUTER]
import { cpus, hostname } from "node:os";
import * as hakuban from "../../clients/typescript/dist/src/index.js";

const router = process.argv[2] ?? "ws://127.0.0.1:3001";
if (!globalThis.WebSocket) {
	// Node 20 has none.
	const { createRequire } = await import("node:module");
	globalThis.WebSocket = createRequire(new URL("../../clients/typescript/package.json", import.meta.url))("ws").WebSocket;
}

const exchange = new hakuban.Exchange("all-top producer");
new hakuban.WebsocketConnector(exchange, router);

const expose_contract = exchange.object_expose_contract(["utilizations"], { host: hostname(), process: process.pid }).build();
await expose_contract.for_each(async (sink) => {
	for (let before = cpus(); ; ) {
		await new Promise((resolve) => setTimeout(resolve, 500));
		const now = cpus();
		const percentage = now.map((cpu, n) => busy(before[n], cpu));
		before = now;
		if ((await sink.send(new hakuban.ObjectState({ percentage }).json_serialize())) === null) return;
	}
});

/** How much of the time between two looks at a processor it was busy. */
function busy(before, now) {
	const spent = Object.keys(now.times).map((kind) => [kind, now.times[kind] - before.times[kind]]);
	const all = spent.reduce((sum, [, time]) => sum + time, 0);
	const idle = spent.find(([kind]) => kind === "idle")[1];
	return all === 0 ? 0 : Math.round((100 * (all - idle)) / all);
}
