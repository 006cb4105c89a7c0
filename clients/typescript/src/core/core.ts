// The deterministic core of an exchange at a leaf of the tree: what the Go package impl does for an exchange without links below.
//
// It has no clock, randomness or I/O of its own. What it owes upstream is never queued: it is the difference between what should be so
// and what upstream was last told, worked out when the link has room and pulls. A slow link therefore costs memory per object, never per
// update, and a change that was undone before the link pulled is never sent.
import { maxDiffSize } from "../diff/writer.js";
import { ClosedError, ProtocolError, RevokedError, StaleError, TooLargeError } from "../errors.js";
import { sizeOfBytes } from "../wire/bytes.js";
import { type Descriptor, makeDescriptor } from "../wire/descriptor.js";
import { type ChannelID, channelText, type ControlAction, decodeEvent, encodeEvent, type LoadPoint, type Message, secondsFault, type StateAction, type WireEvent } from "../wire/event.js";
import type { Limits } from "../wire/limits.js";
import { compareText, isWellFormed, sizeOfText } from "../wire/text.js";
import { Channel, Link } from "./link.js";
import { Contract, type ContractKind, Offer, SharedObject, Tag } from "./object.js";
import { absorb, bring, dropStale, owes, patched } from "./propagation.js";
import { checkState, compareVersions, type CoreState, type Flag, flagFromWire, later, sameContent, sizeOfState, successor } from "./state.js";
import { changes, isNothing, newTold, nothing, sameAsks, summarize, takesBack, toldId } from "./told.js";

/** Time as the core is told it. */
export interface Clock {
	/** Microseconds that never go back. Drives flags. */
	micros(): bigint;
	/** Nanoseconds since 1970, for default versions only. */
	wallNanos(): bigint;
}

/** What a step says to others than its caller. Nothing that hears of it may call the core before the step is over. */
export type Effect =
	/** The link has something to send. Said once until a pull drains it. */
	| { kind: "ready"; link: Link }
	/** The peer broke the protocol; the link is gone from the core. */
	| { kind: "ended"; link: Link; error: ProtocolError }
	/** The contract has an offer waiting to be taken. */
	| { kind: "offered"; contract: Contract }
	/** A taken offer ended. Release it to make room for the next. */
	| { kind: "revoked"; offer: Offer }
	/** A taken stream has something new to read. Said once until read. */
	| { kind: "changed"; offer: Offer };

/** How many sources and outlets one object may have: the reference overlaps a few. */
const maxObjectChannels = 64;

/** The number of the control channel that each end opens first. */
const control: ChannelID = { origin: "downstream", number: 1n };

export class Core {
	readonly limits: Limits;
	readonly #clock: Clock;
	readonly #emit: (effect: Effect) => void;
	readonly #objects = new Map<string, SharedObject>();
	readonly #tags = new Map<string, Tag>();
	#upstream: Link | undefined;
	#now = 0n; // of the step under way
	#opened = 0; // contracts so far
	#asked = { count: 0, bytes: 0 }; // objects and tags that upstream is asked for, or would be

	constructor(limits: Limits, clock: Clock, emit: (effect: Effect) => void) {
		this.limits = limits;
		this.#clock = clock;
		this.#emit = emit;
	}

	/** The time of the step under way or the last one, in the clock's microseconds. */
	get now(): bigint {
		return this.#now;
	}

	/** Begins a session of the link to upstream. One at a time. */
	attach(name: string, loadLimit: readonly LoadPoint[]): Link {
		this.#step();
		if (this.#upstream) throw new Error("the exchange has an upstream link already");
		this.checkLink(name, loadLimit);
		const link = new Link(name, [...loadLimit]);
		this.#upstream = link;
		this.#wake(link);
		for (const key of sortedKeys(this.#objects)) this.#tellOf(this.#objects.get(key)!);
		for (const identity of sortedKeys(this.#tags)) this.#tellOf(this.#tags.get(identity)!);
		return link;
	}

	/** Throws when links cannot be attached with a name and a load limit. */
	checkLink(name: string, loadLimit: readonly LoadPoint[]): void {
		if (!isWellFormed(name) || sizeOfText(name) > this.limits.name) throw new TooLargeError(`a link's name is UTF-8 of at most ${this.limits.name} bytes`);
		if (loadLimit.length > this.limits.loadPoints) throw new TooLargeError(`a load limit has at most ${this.limits.loadPoints} points`);
		for (const { seconds, load } of loadLimit) {
			const fault = secondsFault(Math.fround(seconds)) ?? (isUint32(load) ? undefined : `${load}, wanted are integers of 32 bits`);
			if (fault !== undefined) throw new TypeError(`load limit: ${fault}`);
		}
	}

	/** Ends a session: all of its channels go. */
	detach(link: Link): void {
		this.#step();
		if (!link.gone) this.#detach(link);
	}

	/** Takes one message of the peer, or ends the link for it. An empty message is ignored. */
	receive(link: Link, bytes: Uint8Array): void {
		this.#step();
		if (link.gone || bytes.length === 0) return;
		try {
			this.#receive(link, decodeEvent(bytes, this.limits));
			if (link.bytes > 2 * this.limits.linkBytes) throw new ProtocolError(`what the link makes this exchange hold exceeds ${2 * this.limits.linkBytes} bytes`);
		} catch (error) {
			this.#detach(link);
			const reason = error instanceof Error ? error.message : String(error);
			this.#emit({ kind: "ended", link, error: new ProtocolError(reason, { cause: error }) });
		}
	}

	/** Messages for the peer, encoded now from the newest states; none begins beyond so many bytes. Pull again unless drained. */
	pull(link: Link, budget: number): { messages: Uint8Array<ArrayBuffer>[]; drained: boolean } {
		this.#step();
		const messages: Uint8Array<ArrayBuffer>[] = [];
		if (link.gone) return { messages, drained: true };
		let size = 0;
		const append = (event: WireEvent): void => {
			const bytes = encodeEvent(event);
			messages.push(bytes);
			size += bytes.length;
		};
		const hasRoom = (): boolean => size < budget || size === 0;
		if (!link.greeted) {
			link.greeted = true;
			append({ kind: "open", channel: control });
			append(message(control, { kind: "uninitialized", types: [{ kind: "upstream control" }] }));
			append(controlMessage([{ kind: "set name", name: link.name }, { kind: "set load limit", loadLimit: link.loadLimit }]));
		}
		while (link.pendingObjects.size + link.pendingTags.size > 0 && hasRoom()) {
			const actions = this.#tell(link, budget - size);
			if (actions.length > 0) append(controlMessage(actions));
		}
		for (const outlet of link.outlets) {
			if (!hasRoom()) break;
			link.outlets.delete(outlet);
			if (!owes(outlet)) continue;
			const action = bring(outlet, this.#now);
			append(message({ origin: "upstream", number: outlet.number }, { kind: "state stream", actions: [action] }));
			// A state counts with the bytes it takes whole, as in the Go core, which does not know yet how long a diff will be.
			if (action.kind === "patch") size += maxDiffSize(outlet.last!.data.length) - sizeOfBytes(action.diff);
		}
		if (link.isDrained) link.ready = false;
		return { messages, drained: link.isDrained };
	}

	/** Opens a local contract; a tag contract's descriptor is that of an object without tags whose json is the tag. */
	open(kind: ContractKind, descriptor: Descriptor, capacity: number): Contract {
		this.#step();
		const { key, json } = descriptor;
		if (!isUint32(capacity)) throw new TypeError(`a capacity of ${capacity}: an integer of 32 bits was expected`);
		const target = kind.on === "object" ? this.#acquire(descriptor) : this.#acquireTag(json, key.slice("[]".length));
		if (target.observers.length + target.exposers.length === 0) {
			const size = sizeOf(target);
			if (this.#asked.count >= this.limits.linkObjects - 1 || this.#asked.bytes + size > this.limits.linkBytes - this.limits.linkBytes / 8) {
				if (target instanceof Tag) this.#forgetTag(target);
				else this.#settle(target);
				throw new TooLargeError(`upstream is asked for ${this.#asked.count} objects and tags with names of ${this.#asked.bytes} bytes already`);
			}
			this.#asked.count++;
			this.#asked.bytes += size;
		}
		const contract = new Contract(kind, ++this.#opened, target, capacity);
		contract.siblings.push(contract);
		this.#settleContract(contract);
		return contract;
	}

	/** Closes a contract and ends its offers. */
	close(contract: Contract): void {
		this.#step();
		if (!contract.isOpen) throw new ClosedError("the contract is closed");
		contract.isOpen = false;
		contract.siblings.splice(contract.siblings.indexOf(contract), 1);
		const { target } = contract;
		if (target.observers.length + target.exposers.length === 0) {
			this.#asked.count--;
			this.#asked.bytes -= sizeOf(target);
		}
		for (const key of sortedKeys(contract.offers)) this.#revoke(contract.offers.get(key)!);
		this.#settleContract(contract);
	}

	/** Changes an expose contract's capacity, for the elections to come. */
	setCapacity(contract: Contract, capacity: number): void {
		this.#step();
		if (!contract.isOpen) throw new ClosedError("the contract is closed");
		if (!contract.exposes || !isUint32(capacity)) throw new TypeError("an expose contract and a capacity of 32 bits were expected");
		contract.capacity = capacity;
		this.#tellOf(contract.target);
	}

	/** Takes the first waiting offer of a contract; undefined when none waits. */
	take(contract: Contract): Offer | undefined {
		this.#step();
		if (!contract.isOpen) throw new ClosedError("the contract is closed");
		const [offer] = contract.waiting;
		if (!offer) return undefined;
		contract.waiting.delete(offer);
		offer.taken = true;
		this.#notify(offer);
		return offer;
	}

	/** Gives a taken offer back. */
	release(offer: Offer): void {
		this.#step();
		if (offer.released) throw new RevokedError("released before");
		offer.released = true;
		const { key } = offer.descriptor;
		const object = offer.object ?? this.#objects.get(key);
		offer.object = undefined;
		offer.contract.offers.delete(key);
		if (object && offer.contract.isOpen) this.#settle(object); // a closed contract has no next offer to wait for
	}

	/**
	 * Takes a state from a local sink, and returns it as it was taken. An empty version asks for the default one. One that may be raised
	 * becomes the successor of the newest known where it is not greater.
	 */
	publish(offer: Offer, state: CoreState, flag: Flag, mayRaise = false): CoreState {
		this.#step();
		const o = offer.object;
		if (!o || offer.released || !offer.contract.exposes) throw new RevokedError("the sink was revoked or released");
		if (state.version.length === 0) state = { ...state, version: this.#nextVersion(o) };
		const again = o.held && compareVersions(state.version, o.held.version) === 0 && sameContent(state, o.held);
		if (mayRaise && !again && compareVersions(state.version, o.newest) <= 0) state = { ...state, version: successor(o.newest) };
		checkState(state, this.limits);
		if (o.held) {
			const order = compareVersions(state.version, o.held.version);
			if (order < 0 || (order === 0 && !sameContent(state, o.held))) {
				throw new StaleError(`version [${state.version}] is not greater than the one held, [${o.held.version}]`);
			}
			if (order === 0) state = o.held;
		}
		if (flag !== "now" && flag > this.#now) flag = this.#now;
		offer.last = state;
		offer.flag = flag;
		this.#absorb(o, state, flag, undefined);
		return state;
	}

	/** The newest state of a taken stream; undefined when the object has none. */
	read(offer: Offer): { state: CoreState | undefined; flag: Flag } {
		this.#step();
		if (!offer.object || offer.released || offer.contract.exposes) throw new RevokedError("the stream was revoked or released");
		offer.last = offer.object.held;
		offer.flag = offer.object.flag;
		offer.notified = false;
		return { state: offer.last, flag: offer.flag };
	}

	#step(): void {
		this.#now = later(this.#now, this.#clock.micros());
	}

	// Objects and tags

	#acquire(descriptor: Descriptor): SharedObject {
		const known = this.#objects.get(descriptor.key);
		if (known) return known;
		const tags = descriptor.tags.map((text, n) => this.#acquireTag(text, descriptor.tagIdentities[n]!));
		const object = new SharedObject(descriptor, tags);
		this.#objects.set(descriptor.key, object);
		for (const tag of tags) tag.objects.add(object);
		return object;
	}

	#acquireTag(text: string, identity: string): Tag {
		const known = this.#tags.get(identity);
		if (known) return known;
		const tag = new Tag(text, identity, sizeOfText(text) + sizeOfText(identity));
		this.#tags.set(identity, tag);
		return tag;
	}

	#forgetTag(tag: Tag): void {
		if (tag.isIdle) this.#tags.delete(tag.identity);
	}

	/** Settles every object that a contract covers. */
	#settleContract({ target }: Contract): void {
		if (target instanceof SharedObject) return this.#settle(target);
		for (const object of [...target.objects]) this.#settle(object);
		this.#tellOf(target);
		this.#forgetTag(target);
	}

	/**
	 * Recomputes all that follows from an object's contracts and channels after one of them changed. It is the one place where an object
	 * comes to life, changes its exposer and is forgotten.
	 */
	#settle(o: SharedObject): void {
		o.shouldExist = o.mustExist();
		o.elected = o.choice();
		for (const contract of o.contracts()) this.#offerTo(contract, o);
		this.#refreshFlag(o);
		this.#settleKept(o);
		this.#tellOf(o);
		if (o.shouldExist) return;
		this.#objects.delete(o.descriptor.key);
		for (const tag of o.tags) {
			tag.objects.delete(o);
			this.#forgetTag(tag);
		}
	}

	#offerTo(contract: Contract, o: SharedObject): void {
		const existing = contract.offers.get(o.descriptor.key);
		const due = contract.due(o);
		if (due && !existing) {
			const offer = new Offer(contract, o);
			contract.offers.set(o.descriptor.key, offer);
			contract.waiting.add(offer);
			this.#emit({ kind: "offered", contract });
		} else if (!due && existing) {
			this.#revoke(existing);
		}
	}

	/** Ends an offer: a waiting one is withdrawn, a taken one stays in the way of the next until it is released. */
	#revoke(offer: Offer): void {
		if (!offer.taken) {
			offer.contract.waiting.delete(offer);
			offer.contract.offers.delete(offer.descriptor.key);
			offer.object = undefined;
		} else if (offer.object) {
			offer.object = offer.last = undefined;
			this.#emit({ kind: "revoked", offer });
		}
	}

	/** Tells a taken stream once that it has something new to read. */
	#notify(offer: Offer | undefined): void {
		const o = offer?.object;
		if (!o || !offer.taken || offer.notified || offer.contract.exposes) return;
		if (o.held === offer.last && o.flag === offer.flag) return;
		offer.notified = true;
		this.#emit({ kind: "changed", offer });
	}

	// States

	/** The default version of a new state: the wall clock, or when that is not greater than every version known here, their successor. */
	#nextVersion(o: SharedObject): bigint[] {
		const wall = this.#clock.wallNanos();
		const version = [0n, wall / 1_000_000_000n, wall % 1_000_000_000n];
		return compareVersions(version, o.newest) > 0 ? version : successor(o.newest);
	}

	/** Takes a state and its flag, and wakes all who see it. */
	#absorb(o: SharedObject, state: CoreState, flag: Flag, bringer: Channel | undefined): void {
		const { held, flag: before } = o;
		absorb(o, state, flag, bringer, this.#now);
		this.#changedFrom(o, held, before);
		this.#settleKept(o);
	}

	/** Makes the flag follow the sources that are left. */
	#refreshFlag(o: SharedObject): void {
		const { held, flag } = o;
		dropStale(o, this.#now);
		this.#changedFrom(o, held, flag);
	}

	/** Wakes all who see an object's state if it is not what it was. */
	#changedFrom(o: SharedObject, held: CoreState | undefined, flag: Flag): void {
		if (o.held === held && o.flag === flag) return;
		for (const on of [o, ...o.tags]) {
			for (const observer of on.observers) this.#notify(observer.offers.get(o.descriptor.key));
		}
		for (const outlet of o.outlets) this.#queue(outlet);
	}

	/** Counts the state held against the link that brought it, if it is not the last one of that channel, or else nobody would. */
	#settleKept(o: SharedObject): void {
		const link = this.#upstream;
		if (o.bringer && !o.sources.includes(o.bringer)) o.bringer = undefined;
		const counts = o.foreign && o.bringer?.last !== o.held && (o.bringer || o.observers.length === 0) && o.shouldExist;
		const kept = link && counts ? sizeOfState(o.held) : 0;
		if (link) link.bytes += kept - o.kept;
		o.kept = kept;
	}

	// The link

	#wake(link: Link): void {
		if (link.ready) return;
		link.ready = true;
		this.#emit({ kind: "ready", link });
	}

	#queue(outlet: Channel): void {
		const link = this.#upstream!;
		link.outlets.add(outlet);
		this.#wake(link);
	}

	#detach(link: Link): void {
		link.gone = true;
		this.#upstream = undefined;
		link.outlets.clear();
		const lost = new Map<string, SharedObject>();
		for (const held of link.theirs.values()) {
			if (typeof held === "object") lost.set(held.channel.object.descriptor.key, held.channel.object);
		}
		for (const o of this.#objects.values()) o.kept = 0;
		for (const key of sortedKeys(lost)) {
			const o = lost.get(key)!;
			o.sources = [];
			o.outlets = [];
			this.#settle(o);
		}
	}

	/** Queues an object or a tag for upstream when what is asked for is not what upstream was told, and takes it out when it is again. */
	#tellOf(target: SharedObject | Tag): void {
		const link = this.#upstream;
		if (!link) return;
		const asks = summarize(target);
		const id = toldId(target);
		const told = link.told.get(id) ?? newTold(target);
		const pending = told.kind === "object" ? link.pendingObjects : link.pendingTags;
		if (sameAsks(told.asks, asks)) {
			pending.delete(told);
			if (isNothing(told)) link.told.delete(id);
			return;
		}
		link.told.set(id, told);
		pending.add(told);
		this.#wake(link);
	}

	/** The actions that tell upstream what changed, of about so many bytes. */
	#tell(link: Link, budget: number): ControlAction[] {
		const actions: ControlAction[] = [];
		let size = 0;
		for (const pending of [link.pendingObjects, link.pendingTags]) {
			for (const told of pending) {
				if (actions.length > 0 && (size >= budget || actions.length >= this.limits.actions - 2)) break;
				pending.delete(told);
				const object = told.kind === "object";
				const target = object ? this.#objects.get(told.key) : this.#tags.get(told.key);
				const more = changes(told, target ? summarize(target) : nothing);
				actions.push(...more);
				size += more.length * told.tags.reduce((sum, tag) => sum + 4 + sizeOfText(tag), 16 + sizeOfText(told.json));
				if (isNothing(told)) link.told.delete(`${told.kind} ${told.key}`);
			}
		}
		// What is asked for anew comes first: a reference peer carries the actions out one by one, and would end what a new contract is
		// about to go on with.
		return [...actions.filter((action) => !takesBack(action)), ...actions.filter(takesBack)];
	}

	#receive(link: Link, event: WireEvent): void {
		const { channel: id } = event;
		switch (event.kind) {
			case "open":
				if (id.origin === "downstream") throw new ProtocolError(`open of channel ${channelText(id)}, which this end numbers`);
				if (link.theirs.has(id.number)) throw new ProtocolError(`open of channel ${channelText(id)}, which is open`);
				if (link.theirs.size >= 2 * this.limits.linkObjects) throw new ProtocolError("more channels are open than the limit");
				link.theirs.set(id.number, "uninitialized");
				return;
			case "close":
				return this.#receiveClose(link, id);
			case "message":
				return this.#receiveMessage(link, id, event.message);
		}
	}

	#receiveClose(link: Link, id: ChannelID): void {
		const open = id.origin === "upstream" && link.theirs.get(id.number);
		if (!open) throw new ProtocolError(`close of channel ${channelText(id)}, which upstream has not open`);
		if (open === "control") throw new ProtocolError(`close of control channel ${channelText(id)}`);
		link.theirs.delete(id.number);
		if (open === "uninitialized") return;
		const { kind, channel } = open;
		const o = channel.object;
		link.bytes -= o.descriptor.size;
		if (kind === "source") {
			o.sources = o.sources.filter((other) => other !== channel);
			link.bytes -= sizeOfState(channel.last);
		} else {
			o.outlets = o.outlets.filter((other) => other !== channel);
			link.outlets.delete(channel);
		}
		this.#settle(o);
	}

	#receiveMessage(link: Link, id: ChannelID, message: Message): void {
		if (id.origin === "downstream") {
			// Ours is the control channel alone, and upstream says nothing on it; its own kind of message is harmless.
			if (link.greeted && id.number === control.number && message.kind === "upstream control") return;
			throw new ProtocolError(`${message.kind} message on channel ${channelText(id)}, which does not take it`);
		}
		const open = link.theirs.get(id.number);
		if (open === "uninitialized" && message.kind === "uninitialized") return this.#receiveInitialize(link, id, message);
		if (open === "control" && message.kind === "downstream control") {
			for (const action of message.actions) {
				if (action.kind !== "set name") throw new ProtocolError(`${action.kind} from the upstream end`);
				link.remoteName = action.name;
			}
			return;
		}
		if (typeof open === "object" && open.kind === "source" && message.kind === "state stream") {
			return this.#receiveStates(link, open.channel, message.actions);
		}
		throw new ProtocolError(`${message.kind} message on channel ${channelText(id)}, which ${open ? "does not take it" : "is not open"}`);
	}

	/** Gives a channel that upstream opened its type. */
	#receiveInitialize(link: Link, id: ChannelID, { types }: Message & { kind: "uninitialized" }): void {
		const [type] = types;
		if (!type || types.length > 1) throw new ProtocolError(`channel ${channelText(id)} initialized with ${types.length} types, expected 1`);
		if (type.kind === "downstream control") {
			link.theirs.set(id.number, "control");
			return;
		}
		if (type.kind !== "sink" && type.kind !== "stream") throw new ProtocolError(`channel ${channelText(id)} initialized as ${type.kind}, which this end does not take`);
		const descriptor = makeDescriptor(type.tags, type.json, this.limits, false);
		const known = this.#objects.get(descriptor.key);
		if (known && known.sources.length + known.outlets.length >= maxObjectChannels) {
			throw new ProtocolError(`channel ${channelText(id)}: the object has ${maxObjectChannels} channels open`);
		}
		const o = this.#acquire(descriptor);
		link.bytes += o.descriptor.size;
		const channel = new Channel(id.number, o);
		const kind = type.kind === "stream" ? "source" : "outlet";
		link.theirs.set(id.number, { kind, channel });
		(kind === "source" ? o.sources : o.outlets).push(channel);
		this.#settle(o);
		if (kind === "outlet" && owes(channel)) this.#queue(channel);
	}

	/** Takes the actions of one message from a source. */
	#receiveStates(link: Link, source: Channel, actions: readonly StateAction[]): void {
		let made = 0; // bytes of states that the message makes: a few of its own can make many
		for (const action of actions) {
			source.flag = flagFromWire(action.synchronized, this.#now);
			if (action.kind === "patch") {
				const state = patched(link, source, action, this.limits);
				made += state.data.length;
				if (made > 2 * this.limits.state) throw new ProtocolError(`states of more than ${2 * this.limits.state} bytes in one message on channel ${source.number}`);
				source.last = state;
			}
			if (source.last) this.#absorb(source.object, source.last, source.flag, source);
		}
	}
}

const message = (channel: ChannelID, message: Message): WireEvent => ({ kind: "message", channel, message });

const controlMessage = (actions: ControlAction[]): WireEvent => message(control, { kind: "upstream control", actions });

const isUint32 = (value: number): boolean => value >>> 0 === value;

const sizeOf = (target: SharedObject | Tag): number => (target instanceof Tag ? target.size : target.descriptor.size);

const sortedKeys = (map: Map<string, unknown>): string[] => [...map.keys()].sort(compareText);
