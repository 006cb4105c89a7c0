// The events of the protocol, one in each binary websocket message, and their encoding.
import { Reader, Writer } from "./bytes.js";
import type { Limits } from "./limits.js";

/** Which end of a link opened a channel; in the order of the encoding. */
const origins = ["upstream", "downstream"] as const;
export type Origin = (typeof origins)[number];

/** Each end numbers the channels that it opens from 1; 0 is never valid. */
export interface ChannelID {
	origin: Origin;
	number: bigint;
}

export type WireEvent = { kind: "open" | "close"; channel: ChannelID } | { kind: "message"; channel: ChannelID; message: Message };

export type Message =
	| { kind: "uninitialized"; types: ChannelType[] }
	| { kind: "upstream control" | "downstream control"; actions: ControlAction[] }
	| { kind: "state stream"; actions: StateAction[] };

const channelKinds = ["upstream control", "downstream control", "sink", "stream"] as const;

/** What a channel is for. The sink and the stream have an object's tags and json, each a JSON text. */
export type ChannelType = { kind: "upstream control" } | { kind: "downstream control" } | { kind: "sink" | "stream"; tags: string[]; json: string };

const verbs = ["observe", "unobserve", "expose", "unexpose", "set capacity"] as const;
export type Verb = (typeof verbs)[number];

export type ControlAction =
	| { kind: "set name"; name: string }
	| { kind: "set load limit"; loadLimit: LoadPoint[] }
	| { kind: "object"; verb: Verb; tags: readonly string[]; json: string; capacity: number }
	| { kind: "tag"; verb: Verb; json: string; capacity: number };

/** A corner of a load limit: the greatest load so many seconds after the limit was received. */
export interface LoadPoint {
	/** Finite, not negative, below 2^63. */
	seconds: number;
	/** From 0 to 4,294,967,295. */
	load: number;
}

export type StateAction =
	| { kind: "patch"; version: readonly bigint[]; format: readonly string[] | undefined; diff: Uint8Array; synchronized: bigint }
	| { kind: "set synchronized"; synchronized: bigint };

const eventKinds = ["open", "message", "close"] as const;
const messageKinds = ["uninitialized", "upstream control", "downstream control", "state stream"] as const;
const groups = ["exchange", "object", "tag"] as const;
const exchangeKinds = ["set name", "set load limit"] as const;
const stateKinds = ["patch", "set synchronized"] as const;

const hasCapacity = (verb: Verb): boolean => verb === "expose" || verb === "set capacity";

/** What is wrong with a load limit's seconds; undefined: nothing. */
export function secondsFault(seconds: number): string | undefined {
	return seconds >= 0 && seconds < 2 ** 63 ? undefined : `${seconds} seconds, wanted are 0 and more, below 2^63`;
}

export const channelText = (id: ChannelID): string => `${id.origin}/${id.number}`;

/** Decodes one event from a peer. Diffs alias the bytes. What follows the event is ignored, as the reference does. */
export function decodeEvent(bytes: Uint8Array, limits: Limits): WireEvent {
	const r = new Reader(bytes, limits.elements);
	if (bytes.length > limits.message) r.fail("message", `${bytes.length} bytes, the limit is ${limits.message}`);
	const kind = r.variant(eventKinds, "event");
	const channel = { origin: r.variant(origins, "channel origin"), number: r.uint("channel number") };
	if (channel.number === 0n) r.fail("channel number", "0, the first is 1");
	return kind === "message" ? { kind, channel, message: decodeMessage(r, limits) } : { kind, channel };
}

function decodeMessage(r: Reader, limits: Limits): Message {
	const kind = r.variant(messageKinds, "message");
	switch (kind) {
		case "uninitialized":
			return {
				kind,
				types: r.list(16, 2, "initialize actions", () => {
					r.variant(["initialize"], "initialize action");
					return decodeChannelType(r, limits);
				}),
			};
		case "state stream":
			return { kind, actions: r.list(limits.states, 2, "state actions", () => decodeStateAction(r, limits)) };
	}
	const known = kind === "upstream control" ? groups : groups.slice(0, 1);
	return { kind, actions: r.list(limits.actions, 3, "control actions", () => decodeControlAction(r, known, limits)) };
}

function decodeChannelType(r: Reader, limits: Limits): ChannelType {
	const kind = r.variant(channelKinds, "channel type");
	return kind === "sink" || kind === "stream" ? { kind, tags: decodeTags(r, limits), json: r.text(limits.descriptor, "json") } : { kind };
}

function decodeControlAction(r: Reader, known: readonly (typeof groups)[number][], limits: Limits): ControlAction {
	const group = r.variant(known, "control action");
	if (group === "exchange") {
		const kind = r.variant(exchangeKinds, "exchange action");
		if (kind === "set name") return { kind, name: r.text(limits.name, "name") };
		return { kind, loadLimit: r.list(limits.loadPoints, 5, "load limit", () => decodeLoadPoint(r)) };
	}
	const verb = r.variant(verbs, `${group} contract action`);
	const tags = group === "object" ? decodeTags(r, limits) : [];
	const json = r.text(limits.descriptor, "json");
	const capacity = hasCapacity(verb) ? r.uint32("capacity") : 0;
	return group === "object" ? { kind: group, verb, tags, json, capacity } : { kind: group, verb, json, capacity };
}

function decodeLoadPoint(r: Reader): LoadPoint {
	const seconds = r.float32("load limit seconds");
	const fault = secondsFault(seconds);
	if (fault !== undefined) r.fail("load limit", fault);
	return { seconds, load: r.uint32("load limit load") };
}

function decodeStateAction(r: Reader, limits: Limits): StateAction {
	const kind = r.variant(stateKinds, "state action");
	if (kind === "set synchronized") return { kind, synchronized: r.uint("synchronized") };
	const version = r.list(limits.version, 1, "version", () => r.int("version element"));
	const option = r.byte("format option");
	if (option > 1) r.fail("format option", `byte ${option}, 0 or 1 wanted`);
	const format = option === 1 ? r.list(limits.formats, 1, "format", () => r.text(limits.format, "format element")) : undefined;
	return { kind, version, format, diff: r.bytes(limits.message, "diff"), synchronized: r.uint("synchronized") };
}

function decodeTags(r: Reader, limits: Limits): string[] {
	return r.list(limits.tags, 1, "tags", () => r.text(limits.descriptor, "tag"));
}

const writer = new Writer();

/** Encodes one event. */
export function encodeEvent(event: WireEvent): Uint8Array<ArrayBuffer> {
	const w = writer;
	w.byte(eventKinds.indexOf(event.kind));
	w.byte(origins.indexOf(event.channel.origin));
	w.uint(event.channel.number);
	if (event.kind === "message") encodeMessage(w, event.message);
	return w.take();
}

function encodeMessage(w: Writer, message: Message): void {
	w.byte(messageKinds.indexOf(message.kind));
	switch (message.kind) {
		case "uninitialized":
			w.list(message.types, (type) => {
				w.byte(0);
				w.byte(channelKinds.indexOf(type.kind));
				if (type.kind === "sink" || type.kind === "stream") {
					w.list(type.tags, (tag) => w.text(tag));
					w.text(type.json);
				}
			});
			break;
		case "state stream":
			w.list(message.actions, (action) => encodeStateAction(w, action));
			break;
		default:
			w.list(message.actions, (action) => encodeControlAction(w, action));
	}
}

function encodeControlAction(w: Writer, action: ControlAction): void {
	switch (action.kind) {
		case "set name":
			w.byte(0);
			w.byte(0);
			w.text(action.name);
			return;
		case "set load limit":
			w.byte(0);
			w.byte(1);
			w.list(action.loadLimit, (point) => {
				w.float32(point.seconds);
				w.uint(point.load);
			});
			return;
	}
	w.byte(groups.indexOf(action.kind));
	w.byte(verbs.indexOf(action.verb));
	if (action.kind === "object") w.list(action.tags, (tag) => w.text(tag));
	w.text(action.json);
	if (hasCapacity(action.verb)) w.uint(action.capacity);
}

function encodeStateAction(w: Writer, action: StateAction): void {
	w.byte(stateKinds.indexOf(action.kind));
	if (action.kind === "patch") {
		w.list(action.version, (element) => w.int(element));
		w.byte(action.format ? 1 : 0);
		if (action.format) w.list(action.format, (name) => w.text(name));
		w.bytes(action.diff);
	}
	w.uint(action.synchronized);
}
