// Makes diffs, the way the Go package wire/diff does: an equal head, a middle of literals and references, an equal tail.
import { fromOld, fromOutput, maxLength, maxPosition, oldPosition, referenceSize, worthwhile } from "./reference.js";
import { Table } from "./table.js";
import { DiffWriter } from "./writer.js";

const shortest = 4; // no reference is worthwhile for less
const smallNew = 64; // of new between equal ends, at most, and
const smallOld = 512; // of old, for an edit to be small
const smallReach = 256; // searched on both sides of a small edit
const leastReach = 4096; // searched on both sides of others, at least, and
const reachFactor = 64; // for each byte of new between equal ends
const patience = 6; // bits; after so many bytes without a match, strides grow
const maxStride = 15; // odd, so that strides meet every sampled position
const maxProbes = 16; // places tried in each table
const niceLength = 256; // one this long is taken without looking further
const outputReach = 2 ** 12; // bytes of output searched before the first edit
const outputSlots = 2 ** 16; // bytes of output searched thoroughly
const lazyLength = 64; // a longer match is taken without improving it
const keptLength = 32; // bytes at both ends of a long match that are found later
const acrossProbes = 4; // places tried per offset across a match's end

/** A diff that turns old into data: the same for the same two, and at most {@link maxDiffSize} bytes long. */
export function encodeDiff(old: Uint8Array, data: Uint8Array): Uint8Array {
	// Equal ends that are too short for a reference belong to the middle.
	let head = commonHead(old, 0, data, 0, data.length);
	let tail = commonTail(old, data, head);
	if (!worthwhile(old.length - data.length, tail)) tail = 0;
	if (!worthwhile(0, head)) head = 0;
	const end = data.length - tail;
	const w = new DiffWriter(data, end);
	if (head > 0) w.copied(fromOld, 0, 0, head);
	const covered = end - head >= shortest ? new Finder(old, data, head, end).appendMiddle(w) : w.literal(head, end);
	if (tail > 0 && !covered) w.copied(fromOld, old.length - tail, end, tail);
	return w.take();
}

/** How many bytes a from an offset and b from another have in common, those of b before end. */
function commonHead(a: Uint8Array, from: number, b: Uint8Array, at: number, end: number): number {
	const shorter = Math.min(a.length - from, end - at);
	let length = 0;
	while (length < shorter && a[from + length] === b[at + length]) length++;
	return length;
}

/** How many bytes both have in common at their end, after a head. */
function commonTail(a: Uint8Array, b: Uint8Array, head: number): number {
	const shorter = Math.min(a.length, b.length) - head;
	let length = 0;
	while (length < shorter && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
	return length;
}

/** A place that holds the same bytes as data at some offset. */
interface Match {
	kind: number;
	from: number; // offset there
	at: number; // offset in data
	length: number;
	gain: number; // bytes saved against literals; 0: no match
}

/** Looks for matches of the middle of one pair of old and new data. */
class Finder {
	readonly #old: Uint8Array;
	readonly #new: Uint8Array;
	readonly #head: number;
	readonly #end: number; // matches end here at the latest, offset in new
	readonly #tail: number; // of the equal tail: its from - at
	readonly #oldTable: Table;
	readonly #newTable: Table;
	#delta = 0; // of the last match in old, likewise

	constructor(old: Uint8Array, data: Uint8Array, head: number, end: number) {
		this.#old = old;
		this.#new = data;
		this.#head = head;
		this.#end = end;
		this.#tail = old.length - data.length;
		// It looks at some of old on both sides of the middle, and of the output before it, where references are shorter.
		const oldEnd = old.length - (data.length - end);
		const small = end - head <= smallNew && oldEnd - head <= smallOld;
		const reach = small ? smallReach : Math.max(leastReach, reachFactor * (end - head));
		const low = Math.max(head - reach, 0);
		const high = Math.min(oldEnd + reach, old.length);
		this.#oldTable = new Table(old, low, high - low, high - low > 2 ** 16 ? 8 : high - low > 2 ** 12 ? 5 : 4);
		this.#oldTable.sample(high);
		this.#oldTable.fill(high);
		const outputLow = Math.max(head - Math.min(reach, outputReach), 0);
		this.#newTable = new Table(data, outputLow, Math.min(end - outputLow, outputSlots), 4);
		this.#newTable.fill(head);
	}

	/** Appends the middle, from left to right, as literals and what is found. True: the tail too, as a part of the last match. */
	appendMiddle(w: DiffWriter): boolean {
		let pending = this.#head; // start of the literals not yet written
		for (let at = this.#head; at < this.#end; ) {
			let m = this.#find(at);
			if (m.gain <= 0) {
				at += Math.min(((at - pending) >> patience) | 1, maxStride);
				continue;
			}
			m = this.#extend(this.#across(this.#improve(m)), pending);
			w.literal(pending, m.at);
			at = pending = m.at + m.length;
			this.#taken(m);
			const more = at === this.#end ? this.#covered(m) : 0;
			w.copied(m.kind, m.from, m.at, m.length + more);
			if (more > 0) return true;
		}
		w.literal(pending, this.#end);
		return false;
	}

	/** The match of greatest gain at an offset, one with gain 0 if there is none. It tries a bounded number of places. */
	#find(at: number): Match {
		this.#newTable.fill(at);
		const best: Match = { kind: fromOld, from: 0, at, length: 0, gain: 0 };
		this.#try(best, fromOld, at + this.#tail); // first of equals: it may go on to the end
		this.#try(best, fromOld, at + this.#delta);
		this.#probe(best, fromOutput, this.#newTable);
		this.#probe(best, fromOld, this.#oldTable);
		return best;
	}

	#probe(best: Match, kind: number, table: Table): void {
		let number = table.latest(this.#new, best.at);
		for (let probes = maxProbes; number >= 0 && probes > 0 && best.length < niceLength; probes--) {
			this.#try(best, kind, table.position(number));
			number = table.before(number);
		}
	}

	/** The best of a match and those at the next offsets, as long as each gains more than the one before. */
	#improve(m: Match): Match {
		while (m.length < lazyLength && m.at + 1 < this.#end) {
			const next = this.#find(m.at + 1);
			if (next.gain <= m.gain) break;
			m = next;
		}
		return m;
	}

	/**
	 * The better of a match and the places in old that hold the same bytes and more: among what is hashed there, only what crosses the
	 * match's end tells them from all others that merely begin alike, as records of one form do.
	 */
	#across(m: Match): Match {
		const table = this.#oldTable;
		const end = m.at + m.length;
		for (let at = Math.max(m.at, end - table.hashed + 1); at <= end && at < this.#end && m.length < niceLength; at++) {
			let number = table.latest(this.#new, at);
			for (let probes = acrossProbes; number >= 0 && probes > 0; probes--) {
				this.#try(m, fromOld, table.position(number) - (at - m.at));
				number = table.before(number);
			}
		}
		return m;
	}

	/** Makes a place the best match if it gains more. */
	#try(best: Match, kind: number, from: number): void {
		const source = kind === fromOld ? this.#old : this.#new;
		if (from < 0 || from >= source.length) return;
		const position = kind === fromOld ? oldPosition(from - best.at) : best.at - from;
		if (position > maxPosition) return;
		const length = Math.min(commonHead(source, from, this.#new, best.at, this.#end), maxLength);
		const gain = length - referenceSize(position, length);
		if (gain <= best.gain) return;
		best.kind = kind;
		best.from = from;
		best.length = length;
		best.gain = gain;
	}

	/** Moves the start of a match back, over bytes that are equal too, to floor at the most. */
	#extend(m: Match, floor: number): Match {
		const source = m.kind === fromOld ? this.#old : this.#new;
		while (m.at > floor && m.from > 0 && source[m.from - 1] === this.#new[m.at - 1]) {
			m.at--;
			m.from--;
			m.length++;
		}
		return m;
	}

	/** Notes that a match goes into the diff. Of a long one only the ends are found later, since its source is found already. */
	#taken(m: Match): void {
		if (m.kind === fromOld) this.#delta = m.from - m.at;
		if (m.length > 2 * keptLength) {
			this.#newTable.fill(m.at + keptLength);
			this.#newTable.skip(m.at + m.length - keptLength);
		}
	}

	/** The tail's length if what follows a match up to the end of the middle equals the tail too, so that it needs no reference of its own. */
	#covered(m: Match): number {
		const source = m.kind === fromOld ? this.#old : this.#new;
		const tail = this.#new.length - this.#end;
		return commonHead(source, m.from + m.length, this.#new, this.#end, this.#new.length) === tail ? tail : 0;
	}
}
