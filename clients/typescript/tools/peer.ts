// The peer program of the interop tests (tests/interop) with this package in the place of the reference's library: the same commands
// as lines of JSON on stdin, the same answers and events on stdout. tests/interop/peer/src/command.rs lists them.
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { Exchange, type ExposeContract, ObjectDescriptor, ObjectState, type ObjectStateSink, type ObjectStateStream, type ObserveContract, RevokedError, StaleError, TagDescriptor, type WebsocketConnector } from "../src/index.js";
import { parseBig } from "../test/bigjson.js";

const exchange = new Exchange("ts-peer");
let connector: WebsocketConnector | undefined;
let lastId = 0;
let lastLink = 0;
const contracts = new Map<string, { contract: ExposeContract | ObserveContract; allow(count: number): void }>();
const sinks = new Map<number, ObjectStateSink>();
const streams = new Map<number, { stream: ObjectStateStream; allow(count: number): void }>();

const print = (line: object): void => {
	process.stdout.write(`${JSON.stringify(line, (_, value) => (typeof value === "bigint" ? `$${value}$` : value)).replace(/"\$(-?\d+)\$"/g, "$1")}\n`);
};

/** Lets something pass so many times as was allowed. */
function turnstile(open: boolean): { pass(signal: AbortSignal): Promise<void>; allow(count: number): void } {
	let allowed = open ? Infinity : 0;
	let wake = (): void => {};
	return {
		async pass(signal) {
			while (allowed === 0 && !signal.aborted) {
				await new Promise<void>((resolve) => {
					wake = resolve;
					signal.addEventListener("abort", () => resolve(), { once: true });
				});
			}
			allowed--;
		},
		allow(count) {
			allowed += count;
			wake();
		},
	};
}

function named(offered: ObjectStateSink | ObjectStateStream): object {
	const { core } = offered.descriptor();
	return { tags: [...core.tags].sort(), json: core.json };
}

async function serveSink(contract: string, sink: ObjectStateSink, keep: boolean): Promise<void> {
	const id = ++lastId;
	sinks.set(id, sink);
	print({ event: "sink-offered", contract, sink: id, ...named(sink) });
	while (await sink.next()); // until it has ended; a loop over it would drop it
	if (sinks.get(id) !== sink) return; // dropped by command
	print({ event: "sink-revoked", contract, sink: id, ...named(sink) });
	if (keep) return;
	sinks.delete(id);
	await sink.drop();
}

async function serveStream(contract: string, stream: ObjectStateStream, manual: boolean): Promise<void> {
	const id = ++lastId;
	const { pass, allow } = turnstile(!manual);
	streams.set(id, { stream, allow });
	print({ event: "stream-opened", contract, stream: id, ...named(stream) });
	for (;;) {
		await pass(stream.signal);
		const state = await stream.next();
		if (!state) break;
		const { version, format, data, synchronized_us_ago: synchronized } = state;
		print({ event: "state", contract, stream: id, data: Buffer.from(data).toString("base64"), format, version, synchronized });
	}
	if (!streams.has(id)) return; // dropped by command
	print({ event: "stream-closed", contract, stream: id, ...named(stream) });
	streams.delete(id);
	await stream.drop();
}

function open(c: any): void {
	if (contracts.has(c.contract)) throw new Error(`a contract named ${c.contract} is open`);
	const { pass, allow } = turnstile(c.take !== "manual");
	const descriptor = c.object ? ObjectDescriptor.parse(c.object.tags, c.object.json) : TagDescriptor.parse(c.tag);
	const controller = new AbortController();
	const options = { capacity: c.capacity === undefined ? undefined : Number(c.capacity), signal: controller.signal };
	const hand = async <T>(contract: { next(): Promise<T | null> }, serve: (item: T) => Promise<void>): Promise<void> => {
		for (;;) {
			await pass(controller.signal);
			const item = await contract.next();
			if (!item) return;
			void serve(item);
		}
	};
	let contract: ExposeContract | ObserveContract;
	if (c.kind === "expose") {
		contract = descriptor instanceof ObjectDescriptor ? exchange.exposeObject(descriptor, options) : exchange.exposeTag(descriptor, options);
		void hand(contract, (sink) => serveSink(c.contract, sink, c.keep ?? false));
	} else {
		contract = descriptor instanceof ObjectDescriptor ? exchange.observeObject(descriptor) : exchange.observeTag(descriptor);
		void hand(contract, (stream) => serveStream(c.contract, stream, c.read === "manual"));
	}
	contracts.set(c.contract, { contract, allow });
}

function find<T>(all: Map<unknown, T>, id: unknown): T {
	const found = all.get(typeof id === "bigint" ? Number(id) : id);
	if (!found) throw new Error(`nothing named ${id}: never made, or ended, or dropped`);
	return found;
}

async function watch(watched: WebsocketConnector): Promise<void> {
	let linked = false;
	for (let [status, next] = await watched.status(); ; [status, next] = await next) {
		if (linked && !status.connected) print({ event: "upstream-lost", link: lastLink });
		if (!linked && status.connected) print({ event: "upstream-connected", link: ++lastLink });
		linked = status.connected;
		if (!status.connected && status.stopped) return;
	}
}

async function run(c: any): Promise<object | void> {
	switch (c.do) {
		case "connect":
			connector = exchange.connect(c.url, { WebSocket });
			void watch(connector);
			return;
		case "disconnect":
			if (!connector) throw new Error("not connected");
			await connector.disconnect();
			return;
		case "open":
			return open(c);
		case "take":
			return find(contracts, c.contract).allow(Number(c.count));
		case "drop-contract": {
			const { contract } = find(contracts, c.contract);
			contracts.delete(c.contract);
			return contract.close();
		}
		case "send": {
			const sink = find(sinks, c.sink);
			const state = new ObjectState(new Uint8Array(Buffer.from(c.data, "base64")), c.version, c.format, c.synchronized);
			if (c.version?.length === 0) return { version: [] }; // below all others
			try {
				sink.publish(state);
			} catch (error) {
				// The reference's sink says nothing of a state that is older than the one held.
				if (!(error instanceof StaleError)) throw error;
			}
			return { version: state.version };
		}
		case "drop-sink": {
			const sink = find(sinks, c.sink);
			sinks.delete(Number(c.sink));
			return sink.drop();
		}
		case "read":
			return find(streams, c.stream).allow(Number(c.count));
		case "drop-stream": {
			const { stream } = find(streams, c.stream);
			streams.delete(Number(c.stream));
			return stream.drop();
		}
	}
	throw new Error(`no command ${c.do}`);
}

let queue = Promise.resolve();
createInterface({ input: process.stdin })
	.on("line", (line) => {
		const c = parseBig(line);
		queue = queue.then(async () => {
			try {
				print({ id: c.id, ok: (await run(c)) ?? {} });
			} catch (error) {
				print({ id: c.id, error: error instanceof RevokedError ? `revoked: ${error.message}` : String(error) });
			}
		});
	})
	.on("close", () => process.exit(0)); // the process ends when stdin does
