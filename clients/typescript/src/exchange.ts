import { WebsocketConnector, type ConnectorOptions } from "./connector.js";
import { type Contract, ExposeContract, ObserveContract } from "./contract.js";
import { Core, type Effect } from "./core/core.js";
import type { Link } from "./core/link.js";
import type { Contract as CoreContract, Offer } from "./core/object.js";
import { type JSONValue, ObjectDescriptor, TagDescriptor } from "./descriptor.js";
import { ClosedError, type ProtocolError, RevokedError } from "./errors.js";
import { dropAfter } from "./items.js";
import type { ObjectStateSink, ObjectStateStream } from "./offers.js";
import { defaultLimits, type Limits } from "./wire/limits.js";

export interface ExchangeOptions {
	/** Told to upstream, and shown by its monitor. */
	name?: string;
	/** Those that are not given are the defaults. */
	limits?: Partial<Limits>;
}

/** An object, or its tags, of which the json follows. */
export type ObjectOrTags = ObjectDescriptor | readonly (TagDescriptor | JSONValue)[];

/** How a contract is opened. */
export interface ContractOptions {
	/** Closes the contract when it aborts. */
	signal?: AbortSignal | undefined;
}

export interface ExposeOptions extends ContractOptions {
	/**
	 * How many objects the contract can produce at a time, in the eyes of the elections: each object it is elected for adds 1/capacity to its
	 * load. An integer of 32 bits; 1 unless given. With 0 only this exchange's own elections choose it.
	 */
	capacity?: number | undefined;
}

/** What carries a link: told when there is something to send, and when the link has ended by the peer's fault. */
export interface Carrier {
	ready(): void;
	ended(error: ProtocolError): void;
}

/** Shares objects between the contracts of this process and, over a link to an upstream, with other exchanges. */
export class Exchange {
	readonly name: string;
	readonly #core: Core;
	readonly #contracts = new Map<CoreContract, Contract<any>>();
	readonly #offers = new Map<Offer, { contract: Contract<any>; offered: ObjectStateStream | ObjectStateSink }>();
	#effects: Effect[] = [];
	#carrier: { link: Link; carrier: Carrier } | undefined;
	#connector: WebsocketConnector | undefined;
	#closed = false;

	/** Makes an exchange that no link joins to others yet. */
	constructor(options: string | ExchangeOptions = {}) {
		const { name = "wasm", limits } = typeof options === "string" ? { name: options } : options;
		this.name = name;
		const start = performance.timeOrigin;
		const clock = {
			micros: () => BigInt(Math.floor(1000 * performance.now())),
			wallNanos: () => BigInt(Math.floor(1000 * (start + performance.now()))) * 1000n,
		};
		this.#core = new Core({ ...defaultLimits, ...limits }, clock, (effect) => this.#effects.push(effect));
	}

	/** Links the exchange to an upstream, such as ws://127.0.0.1:3001, and goes on doing so until it is disconnected. */
	connect(uri: string, options: ConnectorOptions = {}): WebsocketConnector {
		return new WebsocketConnector(this, uri, options);
	}

	/** Opens a contract to observe an object. The object lives at least as long. */
	observeObject<T = any>(tags: readonly (TagDescriptor | JSONValue)[], json: JSONValue, options?: ContractOptions): ObserveContract<T>;
	observeObject<T = any>(object: ObjectDescriptor, options?: ContractOptions): ObserveContract<T>;
	observeObject<T>(...[first, second, third]: [ObjectOrTags, unknown?, unknown?]): ObserveContract<T> {
		const { descriptor, options } = objectOf(first, second, third);
		return closeOnAbort(new ObserveContract<T>(this, { does: "observe", on: "object" }, descriptor, 0), options);
	}

	/** Opens a contract to produce an object's states while somebody wants them. The object lives at least as long. */
	exposeObject<T = any>(tags: readonly (TagDescriptor | JSONValue)[], json: JSONValue, options?: ExposeOptions): ExposeContract<T>;
	exposeObject<T = any>(object: ObjectDescriptor, options?: ExposeOptions): ExposeContract<T>;
	exposeObject<T>(...[first, second, third]: [ObjectOrTags, unknown?, unknown?]): ExposeContract<T> {
		const { descriptor, options } = objectOf(first, second, third);
		return closeOnAbort(new ExposeContract<T>(this, { does: "expose", on: "object" }, descriptor, options.capacity ?? 1), options);
	}

	/** Opens a contract to observe every live object that carries the tag. It keeps none alive itself. */
	observeTag<T = any>(tag: TagDescriptor | JSONValue, options: ContractOptions = {}): ObserveContract<T> {
		return closeOnAbort(new ObserveContract<T>(this, { does: "observe", on: "tag" }, tagOf(tag), 0), options);
	}

	/** Opens a contract to produce the states of every live object that carries the tag and that somebody wants. It keeps none alive itself. */
	exposeTag<T = any>(tag: TagDescriptor | JSONValue, options: ExposeOptions = {}): ExposeContract<T> {
		return closeOnAbort(new ExposeContract<T>(this, { does: "expose", on: "tag" }, tagOf(tag), options.capacity ?? 1), options);
	}

	/** Ends every contract, stream, sink and the link. Closing again does nothing. */
	async close(): Promise<void> {
		if (this.#closed) return;
		for (const contract of [...this.#contracts.values()]) await contract.close();
		await this.#connector?.disconnect();
		this.#closed = true;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	// The reference's names.

	object_observe_contract(descriptor_or_tags: ObjectOrTags, json?: JSONValue): ContractBuilder<ObserveContract> {
		return new ContractBuilder(() => this.observeObject(descriptor_or_tags as [], json as JSONValue));
	}

	object_expose_contract(descriptor_or_tags: ObjectOrTags, json?: JSONValue): ExposeContractBuilder {
		return new ExposeContractBuilder((capacity) => {
			if (descriptor_or_tags instanceof ObjectDescriptor) return this.exposeObject(descriptor_or_tags, { capacity });
			return this.exposeObject(descriptor_or_tags, json as JSONValue, { capacity });
		});
	}

	tag_observe_contract(tag: TagDescriptor | JSONValue): ContractBuilder<ObserveContract> {
		return new ContractBuilder(() => this.observeTag(tag));
	}

	tag_expose_contract(tag: TagDescriptor | JSONValue): ExposeContractBuilder {
		return new ExposeContractBuilder((capacity) => this.exposeTag(tag, { capacity }));
	}

	drop(): Promise<void> {
		return this.close();
	}

	dropped(): boolean {
		return this.#closed;
	}

	// For the other classes of this package.

	/** Steps the core, and then carries out what that says to others. */
	step<R>(action: (core: Core, now: bigint) => R): R {
		if (this.#closed) throw new ClosedError("the exchange is closed");
		try {
			return action(this.#core, BigInt(Math.floor(1000 * performance.now())));
		} finally {
			for (let effect = this.#effects.shift(); effect; effect = this.#effects.shift()) this.#carryOut(effect);
		}
	}

	adopt(contract: Contract<any>): void {
		this.#contracts.set(contract.core, contract);
	}

	disown(contract: Contract<any>): void {
		this.#contracts.delete(contract.core);
		for (const known of [...this.#offers.values()]) {
			if (known.contract !== contract) continue;
			known.offered.end(new ClosedError("the contract was closed"));
			void known.offered.drop();
		}
		this.step((core) => core.close(contract.core));
	}

	offer<T extends ObjectStateStream | ObjectStateSink>(offer: Offer, contract: Contract<any>, offered: T): T {
		this.#offers.set(offer, { contract, offered });
		return offered;
	}

	forget(offer: Offer): void {
		this.#offers.delete(offer);
		this.step((core) => core.release(offer));
	}

	claim(connector: WebsocketConnector): void {
		if (this.#connector) throw new Error("the exchange has an upstream already");
		this.#connector = connector;
	}

	unclaim(): void {
		this.#connector = undefined;
	}

	attach(carrier: Carrier, link: (core: Core) => Link): Link {
		return this.step((core) => {
			this.#carrier = { link: link(core), carrier };
			return this.#carrier.link;
		});
	}

	#carryOut(effect: Effect): void {
		switch (effect.kind) {
			case "ready":
				if (this.#carrier?.link === effect.link) this.#carrier.carrier.ready();
				break;
			case "ended":
				if (this.#carrier?.link === effect.link) this.#carrier.carrier.ended(effect.error);
				break;
			case "offered":
				this.#contracts.get(effect.contract)?.offered();
				break;
			case "revoked":
				this.#offers.get(effect.offer)?.offered.end(new RevokedError("another exposer was elected, or nobody needs the object"));
				break;
			case "changed":
				this.#offers.get(effect.offer)?.offered.changed();
		}
	}
}

/** Builds a contract, as the reference does. */
export class ContractBuilder<C extends Contract<any>> {
	readonly #open: () => C;

	constructor(open: () => C) {
		this.#open = open;
	}

	/** Opens the contract. With a block, the contract is passed to it, and dropped when its promise ends. */
	build<R>(block: (contract: C) => R): Promise<Awaited<R>>;
	build(): C;
	build<R>(block?: (contract: C) => R): C | Promise<Awaited<R>> {
		const contract = this.#open();
		return block ? dropAfter(contract, block) : contract;
	}
}

export class ExposeContractBuilder extends ContractBuilder<ExposeContract> {
	#capacity = 1;

	constructor(open: (capacity: number) => ExposeContract) {
		super(() => open(this.#capacity));
	}

	with_capacity(capacity: number): this {
		this.#capacity = capacity;
		return this;
	}
}

function objectOf(first: ObjectOrTags, second: unknown, third: unknown): { descriptor: ObjectDescriptor; options: ExposeOptions } {
	if (first instanceof ObjectDescriptor) return { descriptor: first, options: (second ?? {}) as ExposeOptions };
	return { descriptor: new ObjectDescriptor(first, second as JSONValue), options: (third ?? {}) as ExposeOptions };
}

const tagOf = (tag: TagDescriptor | JSONValue): TagDescriptor => (tag instanceof TagDescriptor ? tag : new TagDescriptor(tag));

function closeOnAbort<C extends Contract<any>>(contract: C, { signal }: ContractOptions): C {
	if (signal?.aborted) void contract.close();
	signal?.addEventListener("abort", () => void contract.close(), { once: true });
	return contract;
}
