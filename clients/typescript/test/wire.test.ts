// The codec, held to the vectors of the Go package wire: what the reference was captured sending.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { DecodeError } from "../src/wire/bytes.js";
import { makeDescriptor } from "../src/wire/descriptor.js";
import { type ChannelID, type ChannelType, type ControlAction, decodeEvent, encodeEvent, type Message, type StateAction, type Verb, type WireEvent } from "../src/wire/event.js";
import { canonical } from "../src/wire/json.js";
import { defaultLimits } from "../src/wire/limits.js";
import { compareText, sizeOfText } from "../src/wire/text.js";
import { parseBig } from "./bigjson.js";
import { fromHex, toHex, vectorsFolder } from "./vectors.js";

/** A name with its fields, as the captures' JSON has enums. */
function variant(value: any): [string, any] {
	return typeof value === "string" ? [value, undefined] : Object.entries<any>(value)[0]!;
}

function eventOf(json: any): WireEvent {
	const [name, fields] = variant(json);
	if (name !== "Message") return { kind: name === "Open" ? "open" : "close", channel: channelOf(fields) };
	return { kind: "message", channel: channelOf(fields.channel), message: messageOf(fields.message) };
}

function channelOf(json: any): ChannelID {
	const [name, number] = variant(json);
	return { origin: name === "UpstreamOriginated" ? "upstream" : "downstream", number };
}

function messageOf(json: any): Message {
	const [name, list] = variant(json);
	switch (name) {
		case "Uninitialized":
			return { kind: "uninitialized", types: list.map(typeOf) };
		case "UpstreamControl":
			return { kind: "upstream control", actions: list.map(controlOf) };
		case "DownstreamControl":
			return { kind: "downstream control", actions: list.map(controlOf) };
		default:
			assert.equal(name, "StateStream");
			return { kind: "state stream", actions: list.map(stateOf) };
	}
}

function typeOf(json: any): ChannelType {
	const [name, fields] = variant(json.Initialize);
	if (name === "ObjectSinkToUpstream") return { kind: "sink", ...fields };
	if (name === "ObjectStreamFromUpstream") return { kind: "stream", ...fields };
	return { kind: name === "UpstreamControl" ? "upstream control" : "downstream control" };
}

const verbs: Record<string, Verb> = { Observe: "observe", Unobserve: "unobserve", Expose: "expose", Unexpose: "unexpose", SetExposeCapacity: "set capacity" };

function controlOf(json: any): ControlAction {
	const [group, action] = variant(json);
	const [name, fields] = variant(action);
	if (name === "SetName") return { kind: "set name", name: fields };
	if (name === "SetLoadLimit") return { kind: "set load limit", loadLimit: fields.map(([seconds, load]: [unknown, unknown]) => ({ seconds: Math.fround(Number(seconds)), load: Number(load) })) };
	const verb = verbs[name]!;
	const own = typeof fields === "string" ? { json: fields } : fields;
	const capacity = Number(own.capacity ?? 0);
	return group === "ObjectContract" ? { kind: "object", verb, tags: own.tags, json: own.json, capacity } : { kind: "tag", verb, json: own.json, capacity };
}

function stateOf(json: any): StateAction {
	const [name, fields] = variant(json);
	if (name === "SetSynchronized") return { kind: "set synchronized", synchronized: fields };
	return { kind: "patch", version: fields.version, format: fields.format ?? undefined, diff: fromHex(fields.diff), synchronized: fields.synchronized };
}

test("every captured event decodes to what the capture says, to its last byte, and encodes back", () => {
	let events = 0;
	let files = 0;
	for (const file of readdirSync(vectorsFolder)) {
		if (file === "canonical-ids.json") continue;
		files++;
		for (const frame of parseBig(readFileSync(new URL(file, vectorsFolder), "utf8")).frames) {
			if (frame.event === null) continue; // a keep-alive
			events++;
			const bytes = fromHex(frame.hex);
			const event = decodeEvent(bytes, defaultLimits);
			assert.deepEqual(event, eventOf(frame.event), `${file} ${frame.hex}`);
			assert.equal(toHex(encodeEvent(event)), frame.hex);
			assert.throws(() => decodeEvent(bytes.subarray(0, -1), defaultLimits), DecodeError, `${file} ${frame.hex}: complete without its last byte`);
		}
	}
	assert.ok(files === 22 && events > 500, `${files} files, ${events} events: there are 22 and more than 500`);
});

test("ids are spelled, and refused, as the reference does", () => {
	const vectors = JSON.parse(readFileSync(new URL("canonical-ids.json", vectorsFolder), "utf8")) as { input: string; output: string | null; rejected: boolean }[];
	assert.ok(vectors.length > 50);
	for (const { input, output, rejected } of vectors) {
		if (rejected) assert.throws(() => canonical(input, defaultLimits.descriptor, false), DecodeError, input);
		else if (output !== null) assert.equal(canonical(input, defaultLimits.descriptor, false).spelling, output, input);
	}
});

test("a text's identity tells what is one and what is not", () => {
	const identity = (text: string): string => canonical(text, defaultLimits.descriptor, false).identity;
	for (const [a, b] of [["-0", "0.0"], ['{"b":1,"a":[ 2 ]}', '{"a":[2],"b":1}'], ['"\\u00e9"', '"é"'], ['{"a":1,"a":2}', '{"a":2}'], ["1e2", "100.0"]] as const) {
		assert.equal(identity(a), identity(b));
	}
	for (const [a, b] of [["1", "1.0"], ["0", "-0"], ["18446744073709551615", "18446744073709551616"], ["null", '"null"']] as const) {
		assert.notEqual(identity(a), identity(b));
	}
	for (const text of ["", "01", "1.", "+1", "[1,]", "{,}", "nul", "1 2", '"\u0001"', '"\\ud800"', '"\\x"', "1e400", "[".repeat(128) + "]".repeat(128), "\ufeff1", "NaN"]) {
		assert.throws(() => identity(text), DecodeError, text);
	}
	assert.equal(identity("[".repeat(127) + "]".repeat(127)).length, 254);
});

test("what a user cannot have meant is refused", () => {
	for (const text of ['{"a":1,"a":2}', "6.068122777924286e+167"]) assert.throws(() => canonical(text, defaultLimits.descriptor, true), DecodeError, text);
	assert.equal(canonical("0.1", defaultLimits.descriptor, true).spelling, "0.1");
});

test("texts are ordered and counted by their bytes", () => {
	const texts = ["", "a", "b", "é", "\uffff", "😀", "😀a"];
	assert.deepEqual([...texts].reverse().sort(compareText), texts);
	for (const text of texts) assert.equal(sizeOfText(text), Buffer.byteLength(text));
});

test("a descriptor's tags are a set", () => {
	const make = (...tags: string[]): string => makeDescriptor(tags, "1", defaultLimits, true).key;
	assert.equal(make('"b"', '"a"', ' "a"'), '["a","b"]1');
	assert.equal(make('"a"', '"b"'), make('"b"', '"a"'));
	assert.notEqual(make('"a"', '"b"'), make('"a"'));
});

test("integers that are longer than necessary, and bytes after the event, are taken", () => {
	assert.deepEqual(decodeEvent(fromHex("fb000000fc0100000007"), defaultLimits), { kind: "open", channel: { origin: "upstream", number: 1n } });
	assert.throws(() => decodeEvent(fromHex("fd00000000000000000001"), defaultLimits), DecodeError, "64 bits for an index of 32");
});
