// What upstream is asked for, and told of it.
import type { ControlAction, Verb } from "../wire/event.js";
import { type Contract, type SharedObject, Tag } from "./object.js";

/** What we ask of upstream on one object or one tag. */
export interface Asks {
	observes: boolean;
	exposes: boolean;
	capacity: number;
}

export const nothing: Asks = { observes: false, exposes: false, capacity: 0 };

export const sameAsks = (a: Asks, b: Asks): boolean => a.observes === b.observes && a.exposes === b.exposes && a.capacity === b.capacity;

/** What the contracts on one object or one tag come to: capacities add up, at most to what 32 bits hold. */
export function summarize(on: { observers: readonly Contract[]; exposers: readonly Contract[] }): Asks {
	const capacity = on.exposers.reduce((sum, c) => sum + c.capacity, 0);
	return { observes: on.observers.length > 0, exposes: on.exposers.length > 0, capacity: Math.min(capacity, 2 ** 32 - 1) };
}

/**
 * What upstream was told of one object or tag. It outlives the object: upstream must still be told that nothing is asked for any more.
 */
export interface Told {
	readonly kind: "object" | "tag";
	readonly key: string;
	readonly tags: readonly string[];
	readonly json: string;
	asks: Asks; // last told
}

/** Names what upstream was told of an object or a tag. */
export const toldId = (target: SharedObject | Tag): string => (target instanceof Tag ? `tag ${target.identity}` : `object ${target.descriptor.key}`);

export function newTold(target: SharedObject | Tag): Told {
	if (target instanceof Tag) return { kind: "tag", key: target.identity, tags: [], json: target.text, asks: nothing };
	return { kind: "object", key: target.descriptor.key, tags: target.descriptor.tags, json: target.descriptor.json, asks: nothing };
}

export const isNothing = ({ asks }: Told): boolean => !asks.observes && !asks.exposes;

/** The actions from what was told to what is wanted, observe before expose; it counts as told from now on. */
export function changes(told: Told, wanted: Told["asks"]): ControlAction[] {
	const { kind, tags, json, asks: was } = told;
	const actions: ControlAction[] = [];
	const action = (verb: Verb, capacity = 0): void => {
		actions.push(kind === "object" ? { kind, verb, tags, json, capacity } : { kind, verb, json, capacity });
	};
	if (wanted.observes !== was.observes) action(wanted.observes ? "observe" : "unobserve");
	if (wanted.exposes !== was.exposes) action(wanted.exposes ? "expose" : "unexpose", wanted.capacity);
	else if (wanted.capacity !== was.capacity) action("set capacity", wanted.capacity);
	told.asks = wanted;
	return actions;
}

/** Whether an action takes a contract back. */
export function takesBack(action: ControlAction): boolean {
	return (action.kind === "object" || action.kind === "tag") && (action.verb === "unobserve" || action.verb === "unexpose");
}
