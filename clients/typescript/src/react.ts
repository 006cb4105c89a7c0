import type { ObjectDescriptor } from "./descriptor.js";
import type { Exchange } from "./exchange.js";
import type { ObjectState } from "./object-state.js";

/** What an observer sees of an object. The same value until something changes. */
export type Seen<T> =
	/** Nobody has sent a state yet. */
	| { readonly status: "waiting" }
	/** The state is current: its exposer is connected and says so. */
	| { readonly status: "current"; readonly value: T; readonly state: ObjectState<Uint8Array, T> }
	/** The last state there was. Nobody vouches for it since then. */
	| { readonly status: "stale"; readonly value: T; readonly state: ObjectState<Uint8Array, T>; readonly since: Date }
	/** The state is not what was expected, or the exchange is closed. */
	| { readonly status: "unreadable"; readonly error: unknown };

export interface Store<T> {
	/** Calls a listener at each change, until the function that it returns is called. The object is observed while anybody listens. */
	subscribe(listener: () => void): () => void;
	getSnapshot(): Seen<T>;
}

/** Makes a store of one object's states for React's useSyncExternalStore. A state is decoded as JSON unless a function is given. */
export function createStore<T = any>(exchange: Exchange, object: ObjectDescriptor, decode = (state: ObjectState<Uint8Array, T>): T => state.json()): Store<T> {
	const listeners = new Set<() => void>();
	let seen: Seen<T> = { status: "waiting" };
	let stop: AbortController | undefined;
	const see = (state: ObjectState<Uint8Array, T>): Seen<T> => {
		try {
			const [value, since] = [decode(state), state.synchronized];
			return since === "now" ? { status: "current", value, state } : { status: "stale", value, state, since };
		} catch (error) {
			return { status: "unreadable", error };
		}
	};
	const show = (next: Seen<T>): void => {
		seen = next;
		listeners.forEach((listener) => listener());
	};
	const observe = async (signal: AbortSignal): Promise<void> => {
		try {
			await exchange.observeObject<T>(object, { signal }).forEach((stream) => stream.forEach((state) => signal.aborted || show(see(state))));
		} catch (error) {
			show({ status: "unreadable", error }); // the exchange is closed, or a listener failed
		}
	};
	return {
		getSnapshot: () => seen,
		subscribe(listener) {
			const own = (): void => listener(); // so that a listener may be there twice
			listeners.add(own);
			if (!stop) void observe((stop = new AbortController()).signal);
			return () => {
				if (!listeners.delete(own) || listeners.size > 0) return;
				stop?.abort();
				stop = undefined;
				if (seen.status === "current") seen = { ...seen, status: "stale", since: new Date() };
			};
		},
	};
}
