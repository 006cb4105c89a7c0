import { maxDiffSize } from "../diff/writer.js";
import { TooLargeError } from "../errors.js";
import type { Limits } from "../wire/limits.js";
import { isWellFormed, sizeOfText } from "../wire/text.js";

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

/** Checks a local state against the limits that peers are held to. */
export function checkState(state: CoreState, limits: Limits): void {
	const check = (what: string, seen: number, limit: number): void => {
		if (seen > limit) throw new TooLargeError(`${what}: ${seen}, at most ${limit}`);
	};
	check("the state's message in bytes", messageBound(state), limits.message);
	check("the state's size in bytes", state.data.length, limits.state);
	check("the version's length", state.version.length, limits.version);
	check("the format's length", state.format.length, limits.formats);
	for (const name of state.format) {
		check("the size of one of the format's names in bytes", sizeOfText(name), limits.format);
		if (!isWellFormed(name)) throw new TypeError("a name of the format is not UTF-8");
	}
	for (const element of state.version) {
		if (BigInt.asIntN(64, element) !== element) throw new TypeError(`version element ${element}: 64 bits were expected`);
	}
}
