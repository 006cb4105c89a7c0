// What contracts give: streams, which show an object's states, and sinks, which take them.
import type { Offer } from "./core/object.js";
import { compareVersions } from "./core/state.js";
import { ObjectDescriptor } from "./descriptor.js";
import { ClosedError, RevokedError, StaleError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { type Droppable, Items } from "./items.js";
import { encodedState, ObjectState } from "./object-state.js";

/** What a stream and a sink have in common. */
abstract class Offered<T extends Droppable> extends Items<T> {
	protected readonly exchange: Exchange;
	protected readonly offer: Offer;
	#ended: RevokedError | ClosedError | undefined;
	#controller: AbortController | undefined;

	constructor(exchange: Exchange, offer: Offer) {
		super();
		this.exchange = exchange;
		this.offer = offer;
	}

	/** Names the object. */
	descriptor(): ObjectDescriptor {
		return ObjectDescriptor.of(this.offer.descriptor);
	}

	/** Aborts when the stream or sink ends, with a {@link RevokedError} or a {@link ClosedError}. */
	get signal(): AbortSignal {
		this.#controller ??= new AbortController();
		if (this.#ended) this.#controller.abort(this.#ended);
		return this.#controller.signal;
	}

	/** Resolves when the stream or sink ends, with the reason. */
	get closed(): Promise<RevokedError | ClosedError> {
		const { signal } = this;
		return new Promise((resolve) => {
			if (signal.aborted) resolve(signal.reason);
			else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
		});
	}

	/** Why the stream or sink has ended; undefined: it has not. */
	get ended(): RevokedError | ClosedError | undefined {
		return this.#ended;
	}

	/** For the exchange: the core has ended it, or forgets it. */
	end(reason: RevokedError | ClosedError): void {
		if (this.#ended) return;
		this.#ended = reason;
		this.wake();
		this.#controller?.abort(reason);
	}

	/** For the exchange: there may be something new to read. */
	changed(): void {
		this.wake();
	}

	protected override release(): void {
		this.exchange.forget(this.offer);
		this.end(new RevokedError("dropped"));
	}
}

/**
 * Shows an object's states to one observer: the newest only, those replaced before they were read are skipped. It ends when the object
 * should no longer exist. Losing the exposer or the link does not end it while an object contract keeps the object alive: the state
 * stays, and tells since when nobody vouches for it.
 */
export class ObjectStateStream<T = any> extends Offered<ObjectState<Uint8Array, T>> {
	#mayDiffer = true;
	#shown: readonly bigint[] | undefined;
	#flag: "now" | bigint | undefined;

	override changed(): void {
		this.#mayDiffer = true;
		this.wake();
	}

	/** The newest state without waiting; undefined when the object has none yet, or the stream has ended. */
	latest(): ObjectState<Uint8Array, T> | undefined {
		if (this.ended) return undefined;
		const { state, flag } = this.exchange.step((core) => core.read(this.offer));
		this.#mayDiffer = false;
		this.#shown = state?.version;
		this.#flag = flag;
		if (!state) return undefined;
		const now = this.exchange.step((core) => core.now);
		const ago = flag === "now" ? 0n : now > flag ? now - flag : 1n;
		return new ObjectState<Uint8Array, T>(state.data, state.version, state.format, ago);
	}

	protected override poll(): ObjectState<Uint8Array, T> | null | undefined {
		if (this.ended) return null;
		if (!this.#mayDiffer) return undefined;
		const [shown, flag] = [this.#shown, this.#flag];
		const state = this.latest();
		const same = state && shown && flag === this.#flag && compareVersions(state.version, shown) === 0;
		return same ? undefined : state;
	}
}

/** Nothing yet: the reference keeps a place for parameters of sinks. */
export class ObjectStateSinkParams implements Droppable {
	async drop(): Promise<void> {}

	dropped(): boolean {
		return false;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.drop();
	}
}

/**
 * Takes an object's states from its elected exposer. It ends when the election goes to another, when nobody needs the object, and when it
 * is dropped. As a stream it gives its parameters once, and null when it has ended.
 */
export class ObjectStateSink<T = any> extends Offered<ObjectStateSinkParams> {
	#hasParams = true;

	/**
	 * Makes a state, or a value as JSON, the newest one of the object. It does not wait for anybody to see it: slow observers skip states.
	 * It throws a {@link RevokedError} or a {@link ClosedError} when the sink has ended; a {@link StaleError} when the version is not
	 * greater than that of the state held (the same state again is no error); a {@link TooLargeError} beyond a limit; a
	 * {@link FormatError} for a state that was never encoded. The state was not taken then.
	 */
	publish(value: T | ObjectState<unknown, any>): void {
		const state = value instanceof ObjectState ? value : ObjectState.json(value);
		const encoded = encodedState(state);
		if (this.ended) throw this.ended;
		this.exchange.step((core, now) => {
			const ago = state.synchronized_us_ago;
			core.publish(this.offer, encoded, ago === 0n ? "now" : now - ago, state.hasDefaultVersion);
		});
	}

	/**
	 * {@link publish} as the reference has it: true, or null once the sink is gone. A state with a version that is not greater than that of
	 * the one held is not taken, and true all the same.
	 */
	async send(state: ObjectState<unknown>): Promise<true | null> {
		try {
			this.publish(state);
		} catch (error) {
			if (error instanceof RevokedError || error instanceof ClosedError) return null;
			if (!(error instanceof StaleError)) throw error;
		}
		return true;
	}

	protected override poll(): ObjectStateSinkParams | null | undefined {
		if (this.ended) return null;
		if (!this.#hasParams) return undefined;
		this.#hasParams = false;
		return new ObjectStateSinkParams();
	}
}
