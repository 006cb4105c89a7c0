import type { CoreState } from "./core/state.js";
import { FormatError } from "./errors.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The last default version, so that each is greater than the one before. */
let lastNanos = 0n;

/** Seconds and nanoseconds of the wall clock, as exposers in other languages have it, but never the same twice. */
function defaultVersion(): bigint[] {
	const wall = BigInt(Date.now()) * 1_000_000n;
	lastNanos = wall > lastNanos ? wall : lastNanos + 1n;
	return [0n, lastNanos / 1_000_000_000n, lastNanos % 1_000_000_000n];
}

/**
 * One value of an object: data, the formats it was encoded with, a version, and how current it is. It is immutable: what changes something
 * returns another. T is the type of the value behind the data, for {@link json}.
 */
export class ObjectState<D = Uint8Array, T = any> {
	/** The value, or, once encoded, its bytes. Those of a state that was received are shared: do not change them. */
	readonly data: D;
	/** Compared element by element, the longer one being the greater where the other ends. */
	readonly version: readonly bigint[];
	/** The names of the formats that the data is encoded with, innermost first. */
	readonly format: readonly string[];
	/** 0: current now, as long as the exposer is connected and says so. Else microseconds since it was last known to be current. */
	readonly synchronized_us_ago: bigint;
	/** No version was given: a sink may raise it beyond those it knows. */
	readonly hasDefaultVersion: boolean;

	constructor(data: D, version?: readonly (bigint | number)[] | null, format?: string | readonly string[] | null, synchronized_us_ago: bigint | number = 0n) {
		this.data = data;
		this.hasDefaultVersion = version == null;
		this.version = version?.map(BigInt) ?? defaultVersion();
		this.format = format == null ? [] : [format].flat(Infinity as 1);
		this.synchronized_us_ago = BigInt(synchronized_us_ago);
	}

	/** A state of a value as JSON. */
	static json<T>(value: T): ObjectState<Uint8Array, T> {
		return new ObjectState<T, T>(value).json_serialize();
	}

	/** The value of a state whose outermost format is JSON. */
	json(): T {
		return this.json_deserialize().data;
	}

	/** Now, as long as the exposer is connected and says so, or when the state was last known to be current. */
	get synchronized(): "now" | Date {
		return this.synchronized_us_ago === 0n ? "now" : new Date(Date.now() - Number(this.synchronized_us_ago / 1000n));
	}

	withData<D2>(data: D2): ObjectState<D2, T> {
		return changed(this, { data });
	}

	withVersion(version: readonly (bigint | number)[]): ObjectState<D, T> {
		return new ObjectState<D, T>(this.data, version, this.format, this.synchronized_us_ago);
	}

	/** Names the formats that the data is encoded with, without encoding anything. */
	withFormat(format: string | readonly string[]): ObjectState<D, T> {
		return changed(this, { format: [format].flat(Infinity as 1) });
	}

	/** Now, or since when the state has not been known to be current. */
	withSynchronized(synchronized: "now" | Date): ObjectState<D, T> {
		if (synchronized === "now") return this.with_synchronized_us_ago(0n);
		return this.with_synchronized_us_ago(BigInt(Math.max(1, 1000 * (Date.now() - synchronized.getTime()))));
	}

	// The reference's names.

	with_data<D2>(data: D2): ObjectState<D2, T> {
		return this.withData(data);
	}

	with_version(version: readonly (bigint | number)[]): ObjectState<D, T> {
		return this.withVersion(version);
	}

	with_format(format: string | readonly string[]): ObjectState<D, T> {
		return this.withFormat(format);
	}

	with_synchronized_us_ago(synchronized_us_ago: bigint | number): ObjectState<D, T> {
		return changed(this, { synchronized_us_ago: BigInt(synchronized_us_ago) });
	}

	/** The state with its data written as JSON. */
	json_serialize(): ObjectState<Uint8Array, T> {
		const text: string | undefined = JSON.stringify(this.data);
		if (text === undefined) throw new FormatError(`${typeof this.data} is no JSON value`);
		return changed(this, { data: encoder.encode(text), format: [...this.format, "JSON"] });
	}

	/** The state with its data read as JSON, which must be its outermost format. */
	json_deserialize(): ObjectState<T, T> {
		if (this.format.at(-1) !== "JSON") throw new FormatError(`the state's format is [${this.format}], JSON was expected`);
		return changed(this, { data: JSON.parse(decoder.decode(bytesOf(this.data))) as T, format: this.format.slice(0, -1) });
	}

	/** A state holds nothing that must be given back; for the sake of loops that drop each item. */
	async drop(): Promise<void> {}

	dropped(): boolean {
		return false;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.drop();
	}
}

/** The state with something changed. What has the default version keeps knowing that it has. */
function changed<D, T>(state: ObjectState<unknown, unknown>, change: Partial<Pick<ObjectState<D>, "data" | "format" | "synchronized_us_ago">>): ObjectState<D, T> {
	return Object.create(ObjectState.prototype, Object.getOwnPropertyDescriptors({ ...state, ...change })) as ObjectState<D, T>;
}

/** The bytes of a state that can be sent: those of bytes or a text as it stands, in memory of their own. */
export function encodedState(state: ObjectState<unknown>): CoreState {
	const { version, format, data } = state;
	return { version, format, data: typeof data === "string" ? encoder.encode(data) : bytesOf(data).slice() };
}

function bytesOf(data: unknown): Uint8Array {
	if (data instanceof Uint8Array) return data;
	if (data instanceof ArrayBuffer) return new Uint8Array(data);
	throw new FormatError(`a state's data is ${data === null ? "null" : typeof data}, which was never encoded: json_serialize() does that`);
}
