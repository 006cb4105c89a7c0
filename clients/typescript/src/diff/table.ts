const maxHeads = 16; // bits of entries by hash
const maxSlots = 18; // bits of positions chained

/** How many bits a number takes. */
const bitsOf = (n: number): number => 32 - Math.clz32(n);

/**
 * Finds earlier places of the bytes at hand: by a hash of some bytes it holds a chain of positions, latest first. It is bounded: of the
 * old data it takes every so many positions, so that all fit; of the output it chains the latest, and an older one is found only while
 * it is the last of its hash.
 *
 * Positions are numbered from 0 at base, and held plus one, so that a cleared entry holds none.
 */
export class Table {
	readonly hashed: number; // bytes, 4, 5 or 8
	readonly #data: Uint8Array;
	readonly #base: number;
	readonly #heads: Int32Array;
	readonly #links: Int32Array;
	readonly #shift: number;
	#stepBits = 0;
	#count = 0; // numbers given so far

	constructor(data: Uint8Array, base: number, positions: number, hashed: number) {
		const slots = Math.min(bitsOf(Math.max(positions, 16) - 1), maxSlots);
		const headBits = Math.min(slots, maxHeads);
		this.#data = data;
		this.#base = base;
		this.hashed = hashed;
		this.#links = new Int32Array(2 ** slots);
		this.#heads = new Int32Array(2 ** headBits);
		this.#shift = 32 - headBits;
	}

	/** Widens the step until all positions up to end stay chained. */
	sample(end: number): void {
		while ((end - this.#base) >> this.#stepBits > this.#links.length) this.#stepBits++;
	}

	/** Takes in the positions up to end, and leaves out those with fewer bytes after them than are hashed. */
	fill(end: number): void {
		const data = this.#data;
		const limit = Math.min(end, data.length - this.hashed + 1);
		for (let position = this.position(this.#count); position < limit; position += 2 ** this.#stepBits) {
			const hash = this.#hash(data, position);
			this.#links[this.#count & (this.#links.length - 1)] = this.#heads[hash]!;
			this.#heads[hash] = ++this.#count;
		}
	}

	/** Leaves out the positions before this one. */
	skip(position: number): void {
		this.#count = Math.max(this.#count, (position - this.#base) >> this.#stepBits);
	}

	/** The number of the last position with the hash of the bytes given, or -1. */
	latest(data: Uint8Array, position: number): number {
		return position + this.hashed > data.length ? -1 : this.#heads[this.#hash(data, position)]! - 1;
	}

	/** The number before this one in its chain, or -1 if the chain ends or is no longer known. */
	before(number: number): number {
		return this.#count - number > this.#links.length ? -1 : this.#links[number & (this.#links.length - 1)]! - 1;
	}

	/** The position with the given number. */
	position(number: number): number {
		return this.#base + number * 2 ** this.#stepBits;
	}

	#hash(data: Uint8Array, at: number): number {
		let word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
		if (this.hashed > 4) word = Math.imul(word, 0x85ebca6b) ^ data[at + 4]!;
		if (this.hashed > 5) word = Math.imul(word ^ (word >>> 15), 0xc2b2ae35) ^ (data[at + 5]! | (data[at + 6]! << 8) | (data[at + 7]! << 16));
		return Math.imul(word, 0x9e3779b1) >>> this.#shift;
	}
}
