import type { Descriptor } from "../wire/descriptor.js";
import type { Channel } from "./link.js";
import { compareVersions, type CoreState, type Flag } from "./state.js";

/** One of the four kinds of local contract. */
export interface ContractKind {
	does: "observe" | "expose";
	on: "object" | "tag";
}

/** A local contract: the wish to see, or the offer to produce, an object or every live object with a tag. */
export class Contract {
	readonly kind: ContractKind;
	readonly opened: number; // of equals, the one opened first is elected
	readonly target: SharedObject | Tag;
	capacity: number;
	isOpen = true;
	/** Outstanding, by key of the object; one an object at most. */
	readonly offers = new Map<string, Offer>();
	/** Of those, the ones not taken yet, oldest first. */
	readonly waiting = new Set<Offer>();

	constructor(kind: ContractKind, opened: number, target: SharedObject | Tag, capacity: number) {
		this.kind = kind;
		this.opened = opened;
		this.target = target;
		this.capacity = capacity;
	}

	get exposes(): boolean {
		return this.kind.does === "expose";
	}

	/** Those of this kind on the same object or tag. */
	get siblings(): Contract[] {
		return this.exposes ? this.target.exposers : this.target.observers;
	}

	/** Whether the contract should have a sink or stream for an object it covers. */
	due(o: SharedObject): boolean {
		return this.exposes ? o.elected === this : o.shouldExist;
	}
}

/**
 * A sink or a stream: one object, handed to one contract. It is a waiting one until it is taken; then, when it ends, a revoked one until
 * it is released. An offer that ends while waiting is withdrawn without a trace.
 */
export class Offer {
	readonly contract: Contract;
	readonly descriptor: Descriptor;
	object: SharedObject | undefined; // none once revoked
	taken = false;
	released = false;
	/** Of a sink: the last state sent; of a stream: the last one read. */
	last: CoreState | undefined;
	flag: Flag = 0n; // with last
	notified = false; // stream: a change was told and not yet read

	constructor(contract: Contract, object: SharedObject) {
		this.contract = contract;
		this.object = object;
		this.descriptor = object.descriptor;
	}
}

/** A wildcard: contracts on it cover every live object that carries it. */
export class Tag {
	readonly text: string;
	readonly identity: string;
	readonly size: number; // of both texts, in bytes
	readonly objects = new Set<SharedObject>(); // carrying it, oldest first
	readonly observers: Contract[] = []; // in the order they were opened
	readonly exposers: Contract[] = [];

	constructor(text: string, identity: string, size: number) {
		this.text = text;
		this.identity = identity;
		this.size = size;
	}

	get isIdle(): boolean {
		return this.objects.size + this.observers.length + this.exposers.length === 0;
	}
}

/** Who produces an object's states. */
export type Elected = Contract | "upstream" | undefined;

/** One shared object as this exchange knows it. */
export class SharedObject {
	readonly descriptor: Descriptor;
	readonly tags: readonly Tag[];
	readonly observers: Contract[] = []; // local object observe contracts, in the order they were opened
	readonly exposers: Contract[] = [];
	sources: Channel[] = []; // streams that upstream has open to us, oldest first
	outlets: Channel[] = []; // sinks that upstream has open to us, oldest first

	shouldExist = false;
	elected: Elected;

	held: CoreState | undefined;
	flag: Flag = 0n; // of held
	floor = 0n; // when held was last known to be current: flag never falls below
	newest: readonly bigint[] = []; // the greatest version ever held
	foreign = false; // held came over the link
	bringer: Channel | undefined; // that it came on
	kept = 0; // bytes of held that count against the link apart from its channels

	constructor(descriptor: Descriptor, tags: readonly Tag[]) {
		this.descriptor = descriptor;
		this.tags = tags;
	}

	/** The rule for when an object is live. Tag contracts alone keep nothing alive. */
	mustExist(): boolean {
		return this.sources.length + this.outlets.length + this.observers.length + this.exposers.length > 0;
	}

	/** The rule for when a live object's states are wanted. */
	get dataNeeded(): boolean {
		if (!this.shouldExist) return false;
		return this.sources.length + this.outlets.length + this.observers.length > 0 || this.tags.some((tag) => tag.observers.length > 0);
	}

	/** Who should be elected: the first of four rules that applies. The others are about links below, which a leaf has not. */
	choice(): Elected {
		if (!this.dataNeeded) return undefined;
		if (this.sources.length > 0) return "upstream"; // 1: upstream streams to us
		return this.electedContract ?? greatestCapacity(this.exposers) ?? greatestCapacity(this.tags.flatMap((tag) => tag.exposers)); // 2, 3, 4
	}

	/** The elected local contract if it is still open. */
	get electedContract(): Contract | undefined {
		return this.elected instanceof Contract && this.elected.isOpen ? this.elected : undefined;
	}

	/** All local contracts that cover the object. */
	*contracts(): Generator<Contract> {
		for (const on of [this, ...this.tags]) {
			yield* on.observers;
			yield* on.exposers;
		}
	}

	/** Whether some open source says that the state held is current: its last flag was now and its last version is not below the one held. */
	hasNowSource(): boolean {
		const says = ({ last, flag }: Channel | Offer): boolean =>
			last !== undefined && flag === "now" && compareVersions(last.version, this.held!.version) >= 0;
		if (this.sources.some(says)) return true;
		const offer = this.electedContract?.offers.get(this.descriptor.key);
		return offer?.object === this && says(offer);
	}
}

/** The contract of greatest capacity; of equals the one opened first. */
function greatestCapacity(contracts: readonly Contract[]): Contract | undefined {
	let best: Contract | undefined;
	for (const c of contracts) {
		if (!best || c.capacity > best.capacity || (c.capacity === best.capacity && c.opened < best.opened)) best = c;
	}
	return best;
}
