// The core in Go, which is specified and simulated, in the place of the one in TypeScript: the same methods, for the same classes.
import { ClosedError, ProtocolError, RevokedError, StaleError, TooLargeError } from "../src/errors.js";
import type { Clock } from "../src/core/core.js";
import type { ContractKind } from "../src/core/object.js";
import type { CoreState, Flag } from "../src/core/state.js";
import { DecodeError } from "../src/wire/bytes.js";
import { type Descriptor, makeDescriptor } from "../src/wire/descriptor.js";
import { type LoadPoint, secondsFault } from "../src/wire/event.js";
import type { Limits } from "../src/wire/limits.js";
import { isWellFormed, sizeOfText } from "../src/wire/text.js";
import { type GoEffect, makeCore, type StepCore } from "./load.js";

/** What a step says to others than its caller. */
export type Effect =
	| { kind: "ready"; link: Link }
	| { kind: "ended"; link: Link; error: ProtocolError }
	| { kind: "offered"; contract: Contract }
	| { kind: "revoked"; offer: Offer }
	| { kind: "changed"; offer: Offer };

/** One session of the link to upstream. */
export class Link {
	readonly id: number;
	readonly #name: () => string | undefined;

	constructor(id: number, name: () => string | undefined) {
		this.id = id;
		this.#name = name;
	}

	/** Upstream's name, once it has told. */
	get remoteName(): string | undefined {
		return this.#name();
	}
}

export class Contract {
	readonly id: number;
	readonly kind: ContractKind;
	isOpen = true;

	constructor(id: number, kind: ContractKind) {
		this.id = id;
		this.kind = kind;
	}
}

/** A sink or a stream that was taken. */
export class Offer {
	readonly id: number;
	readonly contract: Contract;
	readonly descriptor: Descriptor;

	constructor(id: number, contract: Contract, descriptor: Descriptor) {
		this.id = id;
		this.contract = contract;
		this.descriptor = descriptor;
	}
}

const errors: Record<string, new (message: string) => Error> = { ClosedError, RevokedError, StaleError, TooLargeError, DecodeError, TypeError, Error };

/** Integers of 64 bits cross as bytes. */
const pack = (integers: readonly bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(integers).buffer);
const unpack = (bytes: Uint8Array): bigint[] => [...new BigInt64Array(bytes.slice().buffer)];

/** Has the core in Go forget what is no longer reachable here. */
const unreachable = new FinalizationRegistry<StepCore>((step) => step({ kind: "free", micros: 0, seconds: 0, nanos: 0 }));

export class Core {
	readonly limits: Limits;
	readonly #clock: Clock;
	readonly #emit: (effect: Effect) => void;
	readonly #step: StepCore;
	readonly #contracts = new Map<number, Contract>();
	readonly #offers = new Map<number, Offer>(); // taken and not released
	#link: Link | undefined;
	#links = 0;
	#lastContract = 0;
	#now = 0n;

	constructor(limits: Limits, clock: Clock, emit: (effect: Effect) => void) {
		this.limits = limits;
		this.#clock = clock;
		this.#emit = emit;
		this.#step = makeCore(limits);
		unreachable.register(this, this.#step);
	}

	/** The time of the step under way or the last one, in the clock's microseconds. */
	get now(): bigint {
		return this.#now;
	}

	attach(name: string, loadLimit: readonly LoadPoint[]): Link {
		if (this.#link) throw new Error("the exchange has an upstream link already");
		this.checkLink(name, loadLimit);
		const id = ++this.#links; // the core counts likewise
		const link = new Link(id, () => this.#call("remote name", { link: id }) as unknown as string | undefined);
		this.#link = link;
		this.#do("attach", { name, loadLimit });
		return link;
	}

	checkLink(name: string, loadLimit: readonly LoadPoint[]): void {
		if (!isWellFormed(name) || sizeOfText(name) > this.limits.name) throw new TooLargeError(`a link's name is UTF-8 of at most ${this.limits.name} bytes`);
		if (loadLimit.length > this.limits.loadPoints) throw new TooLargeError(`a load limit has at most ${this.limits.loadPoints} points`);
		for (const { seconds, load } of loadLimit) {
			const fault = secondsFault(Math.fround(seconds)) ?? (isUint32(load) ? undefined : `${load}, wanted are integers of 32 bits`);
			if (fault !== undefined) throw new TypeError(`load limit: ${fault}`);
		}
	}

	detach(link: Link): void {
		if (this.#link !== link) return;
		this.#link = undefined;
		this.#do("detach", { link: link.id });
	}

	receive(link: Link, data: Uint8Array): void {
		if (this.#link === link && data.length > 0) this.#do("receive", { link: link.id, data });
	}

	pull(link: Link, budget: number): { messages: Uint8Array<ArrayBuffer>[]; drained: boolean } {
		if (this.#link !== link) return { messages: [], drained: true };
		const effects = this.#do("pull", { link: link.id, budget });
		const messages = effects.filter(({ kind }) => kind === "write").map(({ message }) => message);
		return { messages, drained: effects.some(({ kind }) => kind === "drained") };
	}

	open(kind: ContractKind, { tags, json }: Descriptor, capacity: number): Contract {
		if (!isUint32(capacity)) throw new TypeError(`a capacity of ${capacity}: an integer of 32 bits was expected`);
		const contract = new Contract(++this.#lastContract, kind);
		this.#contracts.set(contract.id, contract);
		try {
			this.#do("open", { contract: contract.id, contractKind: `${kind.does} ${kind.on}`, tags, json, capacity });
		} catch (error) {
			this.#contracts.delete(contract.id);
			throw error;
		}
		return contract;
	}

	close(contract: Contract): void {
		if (!contract.isOpen) throw new ClosedError("the contract is closed");
		contract.isOpen = false;
		this.#do("close", { contract: contract.id });
		this.#contracts.delete(contract.id);
	}

	setCapacity(contract: Contract, capacity: number): void {
		if (!contract.isOpen) throw new ClosedError("the contract is closed");
		if (contract.kind.does !== "expose" || !isUint32(capacity)) throw new TypeError("an expose contract and a capacity of 32 bits were expected");
		this.#do("set capacity", { contract: contract.id, capacity });
	}

	take(contract: Contract): Offer | undefined {
		if (!contract.isOpen) throw new ClosedError("the contract is closed");
		let taken: Offer | undefined;
		this.#do("take", { contract: contract.id }, ({ offer: id, tags, json }) => {
			if (id === 0) return;
			taken = new Offer(id, contract, makeDescriptor(tags, json, this.limits, false));
			this.#offers.set(id, taken);
		});
		return taken;
	}

	release(offer: Offer): void {
		if (!this.#offers.delete(offer.id)) throw new RevokedError("released before");
		this.#do("release", { offer: offer.id });
	}

	publish(offer: Offer, state: CoreState, flag: Flag, mayRaise = false): CoreState {
		const attempt = (version: readonly bigint[]): CoreState => {
			const now = flag === "now";
			for (const element of version) if (BigInt.asIntN(64, element) !== element) throw new TypeError(`version element ${element}: 64 bits were expected`);
			const numbers = pack([now ? 0n : flag, ...version]);
			const effects = this.#do("publish", { offer: offer.id, format: state.format, data: state.data, numbers, now });
			return stateOf(effects.find(({ kind }) => kind === "state")!)!;
		};
		try {
			return attempt(state.version);
		} catch (error) {
			if (!mayRaise || !(error instanceof StaleError)) throw error;
			return attempt([]); // the core's default version is greater than all that it knows
		}
	}

	read(offer: Offer): { state: CoreState | undefined; flag: Flag } {
		const effect = this.#do("read", { offer: offer.id }).find(({ kind }) => kind === "state")!;
		return { state: stateOf(effect), flag: effect.now ? "now" : unpack(effect.numbers)[0]! };
	}

	/** Steps the core; throws when it refuses. What concerns others is emitted, after what is taken is known. */
	#do(kind: string, input: object, taken?: (effect: GoEffect) => void): GoEffect[] {
		const effects = this.#call(kind, input);
		for (const effect of effects) {
			if (effect.kind === "refused") throw new (errors[effect.name] ?? Error)(effect.reason.replace(/^hakuban: /, ""));
			if (effect.kind === "taken") taken?.(effect);
		}
		for (const effect of effects) this.#tell(effect);
		return effects;
	}

	#call(kind: string, input: object): GoEffect[] {
		const micros = this.#clock.micros();
		if (micros > this.#now) this.#now = micros;
		const wall = this.#clock.wallNanos();
		return this.#step({ ...input, kind, micros: Number(this.#now), seconds: Number(wall / 1_000_000_000n), nanos: Number(wall % 1_000_000_000n) });
	}

	#tell(effect: GoEffect): void {
		const [link, contract, offer] = [this.#link, this.#contracts.get(effect.contract), this.#offers.get(effect.offer)];
		switch (effect.kind) {
			case "ready":
				if (link?.id === effect.link) this.#emit({ kind: "ready", link });
				break;
			case "ended":
				if (link?.id !== effect.link) break;
				this.#link = undefined;
				this.#emit({ kind: "ended", link, error: new ProtocolError(effect.reason) });
				break;
			case "offered":
				if (contract) this.#emit({ kind: "offered", contract });
				break;
			case "revoked":
			case "changed":
				if (offer) this.#emit({ kind: effect.kind, offer });
		}
	}
}

function stateOf({ data, format, numbers }: GoEffect): CoreState | undefined {
	return data && { data, format, version: unpack(numbers).slice(1) };
}

const isUint32 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 32;
