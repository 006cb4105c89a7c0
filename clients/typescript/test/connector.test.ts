// The connector, with a socket and time of the test's own.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type ConnectorOptions, Exchange, ObjectDescriptor, ObjectState, type ObjectStateSink, WebsocketConnector } from "../src/index.js";
import { encodeEvent, type StateAction, type WireEvent } from "../src/wire/event.js";
import { random } from "./random.js";
import { FakeSocket } from "./socket.js";
import { settled, Time } from "./time.js";

let time: Time;
let exchange: Exchange;
let uncaught: unknown[];
const note = (error: unknown): unknown => uncaught.push(error);

beforeEach(() => {
	time = new Time();
	exchange = new Exchange("leaf");
	FakeSocket.made = [];
	uncaught = [];
	process.on("unhandledRejection", note);
});

afterEach(async () => {
	const closing = exchange.close();
	for (const socket of FakeSocket.made) socket.lose();
	await closing;
	await settled();
	time.restore();
	process.off("unhandledRejection", note);
	assert.deepEqual(uncaught, []);
});

const connect = (options: ConnectorOptions = {}, uri = "ws://router:3001"): WebsocketConnector => exchange.connect(uri, { WebSocket: FakeSocket, ...options });

/** A contract of the exchange is elected by the upstream. */
async function elected(): Promise<{ socket: FakeSocket; sink: ObjectStateSink }> {
	connect();
	const socket = FakeSocket.last.open();
	const contract = exchange.exposeObject([], "x");
	socket.channel({ kind: "sink", tags: [], json: '"x"' });
	const sink = (await contract.next())!;
	await settled();
	socket.take();
	return { socket, sink };
}

const messages = (sent: (WireEvent | string)[]): string[] => sent.map((event) => (typeof event === "string" ? event : JSON.stringify(event, (_, value) => (typeof value === "bigint" ? Number(value) : value))));

test("upstream is greeted, and told of contracts in one message", async () => {
	exchange.observeTag("t");
	exchange.exposeObject(["t"], { id: 1 }, { capacity: 3 });
	const connector = connect({ loadLimit: [{ seconds: 1, load: 2 }] }, "ws://router:3001#name=bob,timeout=2m");
	assert.equal(FakeSocket.last.url, "ws://router:3001/");
	FakeSocket.last.open();
	await settled();
	const control = '"channel":{"origin":"downstream","number":1}';
	assert.deepEqual(messages(FakeSocket.last.take()), [
		`{"kind":"open",${control}}`,
		`{"kind":"message",${control},"message":{"kind":"uninitialized","types":[{"kind":"upstream control"}]}}`,
		`{"kind":"message",${control},"message":{"kind":"upstream control","actions":[{"kind":"set name","name":"bob"},{"kind":"set load limit","loadLimit":[{"seconds":1,"load":2}]}]}}`,
		`{"kind":"message",${control},"message":{"kind":"upstream control","actions":[{"kind":"object","verb":"expose","tags":["\\"t\\""],"json":"{\\"id\\":1}","capacity":3},{"kind":"tag","verb":"observe","json":"\\"t\\"","capacity":0}]}}`,
	]);
	FakeSocket.last.channel({ kind: "downstream control" }).say({ kind: "downstream control", actions: [{ kind: "set name", name: "router" }] });
	assert.equal(connector.remoteName, "router");
});

test("states go up as diffs, the newest only", async () => {
	const { socket, sink } = await elected();
	sink.publish({ first: 1 });
	sink.publish({ second: 2 });
	await settled();
	const [event, ...more] = socket.take();
	assert.deepEqual(more, []);
	assert.ok(typeof event === "object" && event.kind === "message" && event.message.kind === "state stream");
	assert.equal(Buffer.from((event.message.actions[0] as StateAction & { kind: "patch" }).diff).toString(), '{"second":2}');
});

test("bad bytes end the link with a reason, and the next attempt follows", async () => {
	const connector = connect();
	FakeSocket.last.open().binary(new Uint8Array([7, 7, 7]));
	const [status] = await connector.status();
	assert.ok(!status.connected && /protocol error: .*no variant 7/.test(status.disconnect_reason!), JSON.stringify(status));
	assert.equal(FakeSocket.last.closed?.code, 4002);
	await time.pass(200);
	assert.equal(FakeSocket.made.length, 2);
});

test("whatever a router sends, nothing is thrown that nobody catches", async () => {
	const r = random(7);
	connect();
	const seeds = [
		encodeEvent({ kind: "open", channel: { origin: "upstream", number: 1n } }),
		encodeEvent({ kind: "message", channel: { origin: "upstream", number: 1n }, message: { kind: "uninitialized", types: [{ kind: "stream", tags: ['"t"'], json: "[1,2]" }] } }),
		encodeEvent({ kind: "message", channel: { origin: "upstream", number: 1n }, message: { kind: "state stream", actions: [{ kind: "patch", version: [1n], format: ["JSON"], diff: new Uint8Array([91, 93]), synchronized: 0n }] } }),
		encodeEvent({ kind: "close", channel: { origin: "upstream", number: 1n } }),
	];
	void exchange.observeObject(["t"], [1, 2]).forEachConcurrent((stream) => stream.forEach(() => {}));
	let ended = 0;
	for (let round = 0; round < 3000; round++) {
		if (FakeSocket.last.closed) {
			ended++;
			await time.pass(20_000);
		}
		const socket = FakeSocket.last;
		if (socket.readyState === 0) socket.open();
		const bytes = [...r.pick(seeds)];
		for (let change = r.below(3); change > 0; change--) bytes.splice(r.below(bytes.length), r.below(2), ...r.bytes(r.below(3), 256));
		if (r.below(10) === 0) socket.onmessage?.({ data: r.pick([".", "", new ArrayBuffer(0), null, {}, 5]) as any });
		else socket.binary(new Uint8Array(bytes));
	}
	assert.ok(ended > 300, `${ended} links ended`);
});

test("attempts that fail are repeated after delays that grow and differ", async () => {
	const connector = connect();
	const delays: number[] = [];
	for (let n = 0; n < 12; n++) {
		FakeSocket.last.lose();
		const [made, start] = [FakeSocket.made.length, performance.now()];
		while (FakeSocket.made.length === made) await time.pass(5);
		delays.push(performance.now() - start);
	}
	for (const [n, delay] of delays.entries()) {
		const expected = Math.min(100 * 2 ** n, 10_000);
		assert.ok(delay >= 0.75 * expected - 5 && delay <= 1.25 * expected + 5, `attempt ${n} after ${delay} ms`);
	}
	assert.ok(new Set(delays.slice(7)).size > 1, "without jitter");
	// A link that lived is made again at once.
	FakeSocket.last.open();
	await time.pass(1500);
	const made = FakeSocket.made.length;
	FakeSocket.last.lose(1001, "going away");
	assert.deepEqual((await connector.status())[0], { connected: false, disconnect_reason: "going away", clean_disconnect: true });
	await time.pass(0);
	assert.equal(FakeSocket.made.length, made + 1);
});

test("a page that is online or shown again tries at once", async () => {
	const events = new EventTarget();
	Object.assign(globalThis, { addEventListener: events.addEventListener.bind(events), removeEventListener: events.removeEventListener.bind(events) });
	try {
		const connector = connect();
		for (let n = 0; n < 10; n++) {
			FakeSocket.last.lose();
			await time.pass(n < 9 ? 20_000 : 0);
		}
		const made = FakeSocket.made.length;
		events.dispatchEvent(new Event("online"));
		assert.equal(FakeSocket.made.length, made + 1);
		FakeSocket.last.lose();
		await connector.disconnect();
		events.dispatchEvent(new Event("online"));
		assert.equal(FakeSocket.made.length, made + 1);
	} finally {
		delete (globalThis as any).addEventListener;
		delete (globalThis as any).removeEventListener;
	}
});

test("a keep-alive goes out while nothing else does", async () => {
	connect({ keepAlive: 1000, timeout: 60_000 });
	const socket = FakeSocket.last.open();
	await settled();
	socket.take();
	await time.pass(5000);
	const sent = socket.take();
	assert.ok(sent.length >= 5 && sent.every((text) => text === "."), JSON.stringify(sent));
});

test("a hidden page, whose timers sleep, answers a keep-alive with its own", async () => {
	connect({ keepAlive: 60_000 });
	const socket = FakeSocket.last.open();
	await settled();
	socket.take();
	socket.text();
	assert.deepEqual(socket.take(), [], "nothing is due yet");
	for (let n = 0; n < 10; n++) {
		time.sleep(60_000);
		socket.text();
		assert.deepEqual(socket.take(), ["."]);
	}
	assert.equal(socket.closed, undefined);
});

test("silence ends the link, but not in a page that slept and has messages waiting", async () => {
	const connector = connect({ timeout: 10_000, keepAlive: 1000 });
	let socket = FakeSocket.last.open();
	await settled();
	time.sleep(100_000);
	await time.pass(500); // the pulse looks, and waits
	assert.equal(socket.closed, undefined);
	socket.text();
	await time.pass(9000);
	assert.equal(socket.closed, undefined);
	await time.pass(3000);
	assert.match(socket.closed!.reason!, /nothing came from the peer in 10000 ms/);
	assert.equal((await connector.status())[0].connected, false);
	await time.pass(20);
	socket = FakeSocket.last;
	await time.pass(11_000);
	assert.match(socket.closed!.reason!, /no connection within 10000 ms/);
});

test("states wait, and are replaced, while the socket is full", async () => {
	const { socket, sink } = await elected();
	socket.bufferedAmount = 2 ** 21;
	for (let n = 0; n < 10; n++) {
		sink.publish(n);
		await time.pass(100);
	}
	assert.deepEqual(socket.take(), []);
	socket.bufferedAmount = 0;
	await time.pass(100);
	assert.equal(socket.take().length, 1);
});

test("a connector that is disconnected leaves its exchange to another, and says so", async () => {
	const connector = connect();
	assert.throws(() => connect(), /has an upstream/);
	FakeSocket.last.open();
	const seen: boolean[] = [];
	const watching = (async () => {
		for await (const status of connector) seen.push(status.connected);
	})();
	await settled();
	const disconnecting = connector.disconnect();
	assert.deepEqual(FakeSocket.last.closed, { code: 1000, reason: "disconnected" });
	FakeSocket.last.lose(1000);
	await disconnecting;
	await watching;
	assert.deepEqual(seen, [true, false]);
	await time.pass(60_000);
	assert.equal(FakeSocket.made.length, 1);
	const controller = new AbortController();
	connect({ signal: controller.signal });
	assert.equal(FakeSocket.made.length, 2);
	controller.abort();
	FakeSocket.last.lose();
	await time.pass(60_000);
	assert.equal(FakeSocket.made.length, 2);
});

test("an observer keeps its stream and its state while there is no link, and learns that it is not current", async () => {
	connect();
	const socket = FakeSocket.last.open();
	const stream = (await exchange.observeObject<string>([], "x").next())!;
	const channel = socket.channel({ kind: "stream", tags: [], json: '"x"' });
	channel.say({ kind: "state stream", actions: [{ kind: "patch", version: [1n], format: ["JSON"], diff: new TextEncoder().encode('"hi"'), synchronized: 0n }] });
	const first = (await stream.next())!;
	assert.deepEqual([first.json(), first.synchronized], ["hi", "now"]);
	socket.lose();
	await time.pass(20);
	const second = (await stream.next())!;
	assert.equal(second.json(), "hi");
	assert.ok(second.synchronized instanceof Date && second.synchronized_us_ago > 0n);
	assert.deepEqual(second.version, [1n]);
});

test("what cannot be is refused at once", () => {
	assert.throws(() => connect({}, "http://router"), /scheme/);
	for (const parameters of ["name", "colour=red", "timeout=soon", "load-limit=x", "timeout=0"]) assert.throws(() => connect({}, `ws://router:3001#${parameters}`), TypeError, parameters);
	assert.throws(() => connect({ name: "\ud800" }), /UTF-8/);
	assert.throws(() => connect({ loadLimit: [{ seconds: -1, load: 1 }] }), /load limit/);
	const { WebSocket } = globalThis;
	try {
		Object.assign(globalThis, { WebSocket: undefined });
		assert.throws(() => exchange.connect("ws://router"), /no WebSocket: give one/);
	} finally {
		Object.assign(globalThis, { WebSocket });
	}
	assert.ok(new ObjectState(new Uint8Array()) && new ObjectDescriptor([], 1));
});

test("the log does not tell the query of the URL, where a token may be", async () => {
	const lines: string[] = [];
	connect({ log: (level, text) => lines.push(`${level} ${text}`) }, "wss://router/?token=secret");
	assert.equal(FakeSocket.last.url, "wss://router/?token=secret");
	FakeSocket.last.open().lose();
	await time.pass(1000);
	FakeSocket.last.lose();
	assert.ok(lines.length >= 3 && !lines.join().includes("secret"), lines.join("\n"));
});
