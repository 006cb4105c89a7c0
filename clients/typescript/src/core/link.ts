import type { LoadPoint } from "../wire/event.js";
import type { SharedObject } from "./object.js";
import type { CoreState, Flag } from "./state.js";
import type { Told } from "./told.js";

/** A state channel that upstream opened: a source that states come in on, or an outlet that they go out on. */
export class Channel {
	readonly number: bigint;
	readonly object: SharedObject;
	last: CoreState | undefined; // that crossed it
	flag: Flag = 0n; // that crossed it last

	constructor(number: bigint, object: SharedObject) {
		this.number = number;
		this.object = object;
	}
}

/** One session of the link to upstream. */
export class Link {
	readonly name: string;
	readonly loadLimit: LoadPoint[];
	/** Upstream's name, once it has told. */
	remoteName: string | undefined;
	gone = false;
	greeted = false; // the control channel and the name are sent
	ready = false; // "ready" was said, and no pull has drained the link since
	/** What upstream has open, by number: a channel that waits for its type, a control channel, a source or an outlet. */
	readonly theirs = new Map<bigint, "uninitialized" | "control" | { kind: "source" | "outlet"; channel: Channel }>();
	bytes = 0; // what upstream makes us hold
	readonly told = new Map<string, Told>(); // by kind and key
	readonly pendingObjects = new Set<Told>();
	readonly pendingTags = new Set<Told>();
	readonly outlets = new Set<Channel>(); // that have something to send

	constructor(name: string, loadLimit: LoadPoint[]) {
		this.name = name;
		this.loadLimit = loadLimit;
	}

	get isDrained(): boolean {
		return this.pendingObjects.size + this.pendingTags.size + this.outlets.size === 0;
	}
}
