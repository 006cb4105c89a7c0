import type { Contract as CoreContract, ContractKind, Offer } from "./core/object.js";
import type { ObjectDescriptor, TagDescriptor } from "./descriptor.js";
import { ClosedError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { Items, type Droppable } from "./items.js";
import { ObjectStateSink, ObjectStateStream } from "./offers.js";

/** What the two kinds of contract have in common. */
export abstract class Contract<T extends Droppable> extends Items<T> {
	readonly exchange: Exchange;
	/** Of the object or the tag that the contract is on. */
	readonly descriptor: ObjectDescriptor | TagDescriptor;
	/** For the exchange. */
	readonly core: CoreContract;

	constructor(exchange: Exchange, kind: ContractKind, descriptor: ObjectDescriptor | TagDescriptor, capacity: number) {
		super();
		this.exchange = exchange;
		this.descriptor = descriptor;
		this.core = exchange.step((core) => core.open(kind, descriptor.core, capacity));
		exchange.adopt(this);
	}

	/** For the exchange: there may be an offer, or none any more. */
	offered(): void {
		this.wake();
	}

	/** Closes the contract and ends what it gave. Closing again does nothing. */
	close(): Promise<void> {
		return this.drop();
	}

	protected override release(): void {
		this.exchange.disown(this);
	}

	/** The next offer that waits, if there is one; null: the contract is closed. */
	protected take(): Offer | null | undefined {
		if (!this.core.isOpen) return null;
		return this.exchange.step((core) => core.take(this.core));
	}
}

/**
 * Says that this process wants to see an object, or every live object with a tag. It gives a stream for each such object, one at a time
 * per object: the next comes after the last was dropped. A contract on an object keeps it alive; one on a tag does not.
 */
export class ObserveContract<T = any> extends Contract<ObjectStateStream<T>> {
	protected override poll(): ObjectStateStream<T> | null | undefined {
		const offer = this.take();
		return offer && this.exchange.offer(offer, this, new ObjectStateStream<T>(this.exchange, offer));
	}
}

/**
 * Says that this process can produce the states of an object, or of every live object with a tag. It gives a sink for each object that
 * somebody wants while this contract is the elected one.
 */
export class ExposeContract<T = any> extends Contract<ObjectStateSink<T>> {
	/** Changes the capacity, for the elections to come. */
	setCapacity(capacity: number): void {
		if (this.dropped()) throw new ClosedError("the contract is closed");
		this.exchange.step((core) => core.setCapacity(this.core, capacity));
	}

	protected override poll(): ObjectStateSink<T> | null | undefined {
		const offer = this.take();
		return offer && this.exchange.offer(offer, this, new ObjectStateSink<T>(this.exchange, offer));
	}
}
