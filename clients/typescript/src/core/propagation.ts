// How states come in, are held, and go out.
import { encodeDiff } from "../diff/encode.js";
import { patch } from "../diff/patch.js";
import { ProtocolError } from "../errors.js";
import type { StateAction } from "../wire/event.js";
import type { Limits } from "../wire/limits.js";
import type { Channel, Link } from "./link.js";
import type { SharedObject } from "./object.js";
import { compareVersions, type CoreState, type Flag, flagToWire, later, messageBound, sameFormat, sizeOfState } from "./state.js";

const noData = new Uint8Array(0);

/**
 * Takes a state and its flag, which the caller has noted on the source they come from: a greater version is taken, an equal one counts
 * for the flag, a lower one for nothing. It came on a channel or (undefined) from a local sink.
 */
export function absorb(o: SharedObject, state: CoreState, flag: Flag, bringer: Channel | undefined, now: bigint): void {
	const { held } = o;
	const order = held ? compareVersions(state.version, held.version) : 1;
	if (order > 0) {
		o.held = state;
		o.foreign = bringer !== undefined;
		o.bringer = bringer;
		o.flag = flag;
		o.floor = flag === "now" ? 0n : flag;
		if (compareVersions(state.version, o.newest) > 0) o.newest = state.version;
	} else if (order === 0) {
		if (flag === "now") o.flag = flag;
		else if (o.flag !== "now") o.flag = later(o.flag, flag);
		else if (!o.hasNowSource()) o.flag = later(o.floor, flag);
	}
	if (order >= 0 && flag === "now") o.floor = now;
	dropStale(o, now);
}

/** Ends a flag that no source upholds, and erases a state that is not current while nobody needs the data. */
export function dropStale(o: SharedObject, now: bigint): void {
	if (!o.held) return;
	if (o.flag === "now" && !o.hasNowSource()) o.flag = now;
	if (o.flag !== "now" && !o.dataNeeded) {
		o.held = o.bringer = undefined;
		o.flag = 0n;
		o.foreign = false;
	}
}

/** Whether an outlet has something to send. */
export function owes({ object: { held, flag }, last, flag: sent }: Channel): boolean {
	return held !== undefined && (!last || sent !== flag || compareVersions(last.version, held.version) !== 0);
}

/** The action that brings an outlet up to date. */
export function bring(outlet: Channel, now: bigint): StateAction {
	const { object, last } = outlet;
	const held = object.held!;
	const synchronized = flagToWire(object.flag, now);
	outlet.flag = object.flag;
	if (last && compareVersions(last.version, held.version) === 0) return { kind: "set synchronized", synchronized };
	outlet.last = held;
	const format = !last || last.format.length === 0 || !sameFormat(last.format, held.format) ? held.format : undefined;
	return { kind: "patch", version: held.version, format, diff: encodeDiff(last?.data ?? noData, held.data), synchronized };
}

/** Applies a diff to the last state of a channel. */
export function patched(link: Link, source: Channel, action: StateAction & { kind: "patch" }, limits: Limits): CoreState {
	const { last } = source;
	const format = action.format ?? last?.format;
	if (!format) throw new ProtocolError(`the first state on channel ${source.number} has no format`);
	const others = link.bytes - sizeOfState(last);
	const room = Math.min(limits.state, 2 * limits.linkBytes - others);
	const state = { version: action.version, format, data: patch(last?.data ?? noData, action.diff, Math.max(room, 0)) };
	const bound = messageBound(state);
	if (bound > limits.message) throw new ProtocolError(`a state needs a message of ${bound} bytes to be sent on, the limit is ${limits.message}`);
	link.bytes = others + sizeOfState(state);
	return state;
}
