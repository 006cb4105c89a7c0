import { fromOld, oldPosition, referenceBytes } from "./reference.js";

/** How far the choice of an escape byte looks, in bytes. */
const lookAheadLimit = 4096;

/** A bound on the size in bytes of a diff that makes data of a size. The Go package wire/diff has the proof. */
export function maxDiffSize(size: number): number {
	return size + Math.floor(size / 128) + 2;
}

/**
 * Appends the parts of a diff. It is told about new data in order, from its first byte to its last, so that the length of the output so
 * far is always the offset in new that it is told.
 */
export class DiffWriter {
	readonly #new: Uint8Array;
	readonly #end: number; // literals end here at the latest, offset in new
	readonly #bytes: Uint8Array;
	#length = 0;
	#escape = 0xff;

	constructor(data: Uint8Array, end: number) {
		this.#new = data;
		this.#end = end;
		this.#bytes = new Uint8Array(maxDiffSize(data.length));
	}

	take(): Uint8Array {
		return this.#bytes.slice(0, this.#length);
	}

	/** Appends a reference to bytes that are at from, in the old data or the output, and at at in new. */
	copied(kind: number, from: number, at: number, length: number): void {
		this.#append(referenceBytes(this.#escape, kind, kind === fromOld ? oldPosition(from - at) : at - from, length));
	}

	/** Appends new[from:to] as literal bytes. */
	literal(from: number, to: number): void {
		while (from < to) {
			const literals = this.#new.subarray(from, to);
			const length = literals.indexOf(this.#escape);
			if (length < 0) return this.#append(literals);
			this.#append(literals.subarray(0, length));
			const end = from + length;
			this.#escaped(end);
			from = end + 1;
		}
	}

	#append(bytes: ArrayLike<number>): void {
		this.#bytes.set(bytes, this.#length);
		this.#length += bytes.length;
	}

	/**
	 * Appends the escape byte, which new holds at this offset, as a literal. It doubles the byte (1 byte more) or makes another byte the
	 * escape (2 bytes more), whichever is cheaper per byte until the next such place.
	 */
	#escaped(at: number): void {
		const { next, again, clean } = this.#lookAhead(at);
		if (again < 0 || (clean >= 0 && 2 * again >= clean)) {
			this.#append([this.#escape, 255]);
		} else {
			this.#append([this.#escape, 127, next]);
			this.#escape = next;
		}
	}

	/**
	 * Looks at new after an offset: the byte value that comes latest or never, how far away the present escape byte comes again, and how
	 * far away the next would come; -1: not seen.
	 */
	#lookAhead(at: number): { next: number; again: number; clean: number } {
		const end = Math.min(at + 1 + lookAheadLimit, Math.max(this.#end, at + 1));
		const seen = new Uint8Array(256);
		let count = 0;
		let again = -1;
		for (let ahead = at + 1; ahead < end; ahead++) {
			const value = this.#new[ahead]!;
			if (seen[value]) continue;
			seen[value] = 1;
			count++;
			if (value === this.#escape) again = ahead - at;
			if (count === 256) return { next: value, again, clean: ahead - at };
		}
		return { next: seen.lastIndexOf(0), again, clean: -1 };
	}
}
