// Both faces of the library, in an exchange without a link: its own contracts elect among themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../src/react.js";
import * as hakuban from "../src/index.js";
import { ClosedError, Exchange, FormatError, ObjectDescriptor, ObjectState, RevokedError, StaleError, TagDescriptor, TooLargeError } from "../src/index.js";
import { settled } from "./time.js";

test("the reference's names do what the reference's do", async () => {
	await hakuban.initialize("error");
	const exchange = new hakuban.Exchange("all-top.html");
	const observe_contract = exchange.tag_observe_contract("utilizations").build();
	const hosts: Record<string, unknown> = {};
	const observed = observe_contract.for_each_concurrent(async (stream) => {
		const { host, process } = stream.descriptor().json;
		await stream.for_each((state) => (hosts[`${host}:${process}`] = state.json_deserialize().data));
		delete hosts[`${host}:${process}`];
	});
	const sent = await exchange.object_expose_contract(["utilizations"], { host: "here", process: 7 }).with_capacity(2).build(async (contract) => {
		const sink = (await contract.next())!;
		assert.equal(sink.descriptor().tags[0]!.json, "utilizations");
		assert.ok(await sink.next());
		const result = await sink.send(new hakuban.ObjectState({ percentage: [1, 2] }).json_serialize());
		await settled();
		assert.deepEqual(hosts, { "here:7": { percentage: [1, 2] } });
		const gone = sink.next();
		await sink.drop();
		assert.equal(await gone, null);
		assert.equal(await sink.send(new hakuban.ObjectState("late")), null);
		return result;
	});
	assert.equal(sent, true);
	await settled();
	assert.deepEqual(hosts, {}); // the object has gone with its last contract
	assert.equal(await exchange.object_observe_contract(new hakuban.ObjectDescriptor([], 1)).build((contract) => contract.next((stream) => stream.descriptor().json)), 1);
	await observe_contract.drop();
	await observed;
	assert.ok(observe_contract.dropped());
	assert.equal(await observe_contract.next(), null);
});

test("contracts, streams and sinks are iterated, typed, and given back by await using", async () => {
	await using exchange = new Exchange({ name: "idiomatic" });
	const chair = new ObjectDescriptor(["chairs"], { id: 1 });
	const values: number[] = [];
	{
		await using expose = exchange.exposeTag<{ legs: number }>("chairs");
		await using observe = exchange.observeObject<{ legs: number }>(chair);
		const sink = (await expose.next())!;
		for (const legs of [4, 3]) sink.publish({ legs });
		for await (await using stream of observe) {
			for await (const state of stream) {
				values.push(state.json().legs);
				if (values.length === 2) break;
				sink.publish({ legs: 2 });
			}
			assert.ok(stream.dropped());
			break;
		}
		assert.ok(observe.dropped());
		await settled();
		assert.ok(sink.signal.aborted && (await sink.closed) instanceof RevokedError); // nobody needs the object any more
		assert.throws(() => sink.publish({ legs: 1 }), RevokedError);
	}
	assert.deepEqual(values, [3, 2]);
});

test("signals end what waits, and what is open", async () => {
	const exchange = new Exchange();
	const controller = new AbortController();
	const contract = exchange.observeObject([], 1, { signal: controller.signal });
	const stream = (await contract.next())!;
	const impatient = new AbortController();
	const waiting = stream.next({ signal: impatient.signal });
	impatient.abort(new Error("too long"));
	await assert.rejects(waiting, /too long/);
	const next = stream.next();
	controller.abort();
	assert.equal(await next, null);
	assert.ok(contract.dropped() && stream.signal.reason instanceof ClosedError);
	assert.ok(exchange.observeObject([], 1, { signal: controller.signal }).dropped());
	await exchange.close();
	assert.throws(() => exchange.observeTag("t"), ClosedError);
});

test("a state's version, format and flag", async () => {
	const exchange = new Exchange();
	const stream = (await exchange.observeObject([], 1).next())!;
	const sink = (await exchange.exposeObject([], 1).next())!;
	assert.equal(stream.latest(), undefined);
	const state = new ObjectState({ a: 1 }, [5, 2n]).json_serialize();
	sink.publish(state);
	sink.publish(state); // the same again
	assert.throws(() => sink.publish(state.with_data(new Uint8Array([1]))), StaleError);
	assert.equal(await sink.send(state.withVersion([4])), true);
	assert.throws(() => sink.publish(new ObjectState({ never: "encoded" })), FormatError);
	assert.throws(() => sink.publish(new ObjectState(new Uint8Array(65 << 20))), TooLargeError);
	assert.throws(() => sink.publish(new ObjectState("x", [2n ** 63n])), TypeError);
	const seen = (await stream.next())!;
	assert.deepEqual([seen.version, seen.format, seen.synchronized, seen.json()], [[5n, 2n], ["JSON"], "now", { a: 1 }]);
	assert.throws(() => seen.with_format("XML").json(), FormatError);
	sink.publish(state.withSynchronized(new Date(Date.now() - 60_000)));
	const late = (await stream.next())!;
	assert.ok(late.synchronized instanceof Date, "the sink took its now back");
	sink.publish("the default version passes the one held");
	assert.ok((await stream.next())!.version[0]! >= 5n);
	sink.publish(new ObjectState("raw", [7]).with_format(["A", "B"]));
	assert.deepEqual(stream.latest()!.format, ["A", "B"]);
});

test("default versions grow", () => {
	const versions = Array.from({ length: 1000 }, () => new ObjectState(1).version[1]! * 10n ** 9n + new ObjectState(1).version[2]!);
	assert.ok(versions.every((version, n) => n === 0 || version > versions[n - 1]!));
	const state = new ObjectState(1);
	assert.deepEqual(state.with_data(2).version, state.version);
});

test("what contracts give comes one at a time, oldest first", async () => {
	const exchange = new Exchange();
	exchange.exposeTag("t");
	const contract = exchange.observeTag("t");
	for (const json of ["a", "b"]) exchange.observeObject(["t"], json);
	const [a, b] = [(await contract.next())!, (await contract.next())!];
	assert.deepEqual([a.descriptor().json, b.descriptor().json], ["a", "b"]);
	const third = contract.next();
	await b.drop();
	assert.equal((await third)!.descriptor().json, "b");
});

test("a failure of one handler ends all, and is told", async () => {
	const exchange = new Exchange();
	const contract = exchange.observeTag("t");
	for (const json of ["a", "b"]) exchange.observeObject(["t"], json);
	await assert.rejects(contract.forEachConcurrent(async (stream) => {
		if (stream.descriptor().json === "b") throw new Error("b is bad");
		while (await stream.next());
	}), /b is bad/);
	assert.ok(contract.dropped());
});

test("capacity elects, and of equals the contract opened first is elected", async () => {
	const exchange = new Exchange();
	const small = exchange.exposeObject([], 1);
	const great = exchange.exposeObject([], 1, { capacity: 5 });
	const twin = exchange.exposeObject([], 1, { capacity: 5 });
	exchange.observeObject([], 1);
	const sink = (await great.next())!;
	assert.ok(sink);
	small.setCapacity(9); // for elections to come
	await great.close();
	assert.ok(sink.ended instanceof ClosedError);
	assert.ok(await small.next());
	await small.close();
	assert.ok(await twin.next());
	assert.throws(() => exchange.exposeObject([], 1, { capacity: 1.5 }), TypeError);
});

test("names are exact where JavaScript's numbers are not", () => {
	assert.equal(new ObjectDescriptor([], 1).key, ObjectDescriptor.parse([], " 1").key);
	assert.notEqual(ObjectDescriptor.parse([], "1").key, ObjectDescriptor.parse([], "1.0").key);
	assert.equal(TagDescriptor.parse("18446744073709551615").text, "18446744073709551615");
	assert.equal(new ObjectDescriptor([new TagDescriptor("b"), "a", "b"], { y: 1, x: 2 }).key, '["a","b"]{"x":2,"y":1}');
	assert.throws(() => new ObjectDescriptor([], undefined as any), TypeError);
	assert.throws(() => new ObjectDescriptor(["\ud800"], 1), /surrogate/);
});

test("a store for React shows an object while somebody looks", async () => {
	const exchange = new Exchange();
	const object = new ObjectDescriptor([], "room");
	const contract = exchange.exposeObject<number>(object);
	const store = createStore<number>(exchange, object);
	assert.deepEqual(store.getSnapshot(), { status: "waiting" });
	let calls = 0;
	const stop = store.subscribe(() => calls++);
	const sink = (await contract.next())!;
	sink.publish(21);
	await settled();
	const seen = store.getSnapshot();
	assert.ok(seen.status === "current" && seen.value === 21 && store.getSnapshot() === seen && calls === 1);
	sink.publish(new ObjectState("not JSON"));
	await settled();
	assert.equal(store.getSnapshot().status, "unreadable");
	sink.publish(22);
	await settled();
	stop();
	assert.equal(store.getSnapshot().status, "stale");
	await settled();
	assert.ok(sink.ended, "nobody looks");
	await exchange.close();
	store.subscribe(() => calls++)();
	await settled();
	assert.equal(store.getSnapshot().status, "unreadable");
});
