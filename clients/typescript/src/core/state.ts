import { sizeOfText } from "../wire/text.js";
import { maxDiffSize } from "../diff/writer.js";

/** One value of an object. It is shared and never changed. */
export interface CoreState {
	readonly version: readonly bigint[];
	readonly format: readonly string[];
	readonly data: Uint8Array;
}

/** How current a state is: now, or last known to be current at a time in microseconds of the core's clock. */
export type Flag = "now" | bigint;

/** Long ago: the earliest time there is. */
const beginning = -(2n ** 63n) / 1000n;

/** Microseconds since a state was current, as a time; 0 is now. */
export function flagFromWire(micros: bigint, now: bigint): Flag {
	if (micros === 0n) return "now";
	return micros > (2n ** 63n - 1n) / 1000n ? beginning : now - micros;
}

export function flagToWire(flag: Flag, now: bigint): bigint {
	if (flag === "now") return 0n;
	return later(1n, now - flag);
}

export const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Orders versions element by element; a longer one with an equal start is greater. */
export function compareVersions(a: readonly bigint[], b: readonly bigint[]): number {
	for (let n = 0; n < a.length && n < b.length; n++) {
		if (a[n]! !== b[n]!) return a[n]! < b[n]! ? -1 : 1;
	}
	return a.length - b.length;
}

/** The least version we know how to make that is greater than a given one: the last element plus one, or a 0 appended. */
export function successor(version: readonly bigint[]): bigint[] {
	const last = version.at(-1);
	if (last === undefined || last === 2n ** 63n - 1n) return [...version, 0n];
	return [...version.slice(0, -1), last + 1n];
}

export const sameFormat = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((name, n) => name === b[n]);

export function sameContent(a: CoreState, b: CoreState): boolean {
	return sameFormat(a.format, b.format) && a.data.length === b.data.length && a.data.every((byte, n) => byte === b.data[n]);
}

/** What a state takes in bytes; of none, 0. */
export function sizeOfState(state: CoreState | undefined): number {
	if (!state) return 0;
	return state.format.reduce((sum, name) => sum + 16 + sizeOfText(name), state.data.length + 8 * state.version.length);
}

/** An upper bound of the bytes of a message with the state whole. */
export function messageBound(state: CoreState): number {
	return state.format.reduce((sum, name) => sum + 10 + sizeOfText(name), 64 + maxDiffSize(state.data.length) + 10 * state.version.length);
}
