// Integers, texts and lists in bincode 2's configuration "standard".

/** Why bytes or a JSON text from a peer or a caller were refused: what was seen and what was expected. */
export class DecodeError extends Error {
	override readonly name = "DecodeError";
}

/** A value below this is one byte; a greater one is a marker, 251 to 253, that tells the size, then the value in little-endian. */
const firstMarker = 251;

const encoder = new TextEncoder();
// A byte order mark is part of a text like any other character.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How many bytes an encoding of bytes takes, their length with them. */
export function sizeOfBytes({ length }: Uint8Array): number {
	return length + (length < firstMarker ? 1 : length < 2 ** 16 ? 3 : 5);
}

/** Bytes under construction. */
export class Writer {
	#bytes = new Uint8Array(256);
	#view = new DataView(this.#bytes.buffer);
	#length = 0;

	/** What was written; the writer starts anew. */
	take(): Uint8Array<ArrayBuffer> {
		const bytes = this.#bytes.slice(0, this.#length);
		this.#length = 0;
		if (this.#bytes.length > 2 ** 16) this.#resize(256);
		return bytes;
	}

	byte(value: number): void {
		this.#room(1);
		this.#bytes[this.#length++] = value;
	}

	/** An unsigned integer below 2^64, in its shortest encoding. */
	uint(value: number | bigint): void {
		this.#room(9);
		if (value < firstMarker) {
			this.#bytes[this.#length++] = Number(value);
		} else if (value < 2 ** 16) {
			this.#bytes[this.#length] = 251;
			this.#view.setUint16(this.#length + 1, Number(value), true);
			this.#length += 3;
		} else if (value < 2 ** 32) {
			this.#bytes[this.#length] = 252;
			this.#view.setUint32(this.#length + 1, Number(value), true);
			this.#length += 5;
		} else {
			this.#bytes[this.#length] = 253;
			this.#view.setBigUint64(this.#length + 1, BigInt(value), true);
			this.#length += 9;
		}
	}

	/** A signed integer of 64 bits, folded so that small negative numbers stay short: 0, -1, 1 become 0, 1, 2. */
	int(value: bigint): void {
		this.uint(value < 0n ? -2n * value - 1n : 2n * value);
	}

	float32(value: number): void {
		this.#room(4);
		this.#view.setFloat32(this.#length, value, true);
		this.#length += 4;
	}

	bytes(value: Uint8Array): void {
		this.uint(value.length);
		this.#room(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
	}

	text(value: string): void {
		this.bytes(encoder.encode(value));
	}

	list<T>(values: readonly T[], write: (value: T) => void): void {
		this.uint(values.length);
		for (const value of values) write(value);
	}

	#room(more: number): void {
		if (this.#length + more > this.#bytes.length) this.#resize(Math.max(2 * this.#bytes.length, this.#length + more));
	}

	#resize(size: number): void {
		const old = this.#bytes.subarray(0, this.#length);
		this.#bytes = new Uint8Array(size);
		this.#bytes.set(old);
		this.#view = new DataView(this.#bytes.buffer);
	}
}

/** Bytes of a peer, read from their start. Every fault is thrown as a {@link DecodeError}. */
export class Reader {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	#offset = 0;
	#elements = 0; // of all lists so far
	readonly #maxElements: number;

	constructor(bytes: Uint8Array, maxElements: number) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#maxElements = maxElements;
	}

	fail(noun: string, reason: string): never {
		throw new DecodeError(`byte ${this.#offset}: ${noun}: ${reason}`);
	}

	byte(noun: string): number {
		return this.#bytes[this.#skip(1, noun)]!;
	}

	/** An unsigned integer in any of its encodings; the reference takes longer ones than necessary too. */
	uint(noun: string): bigint {
		return BigInt(this.#integer(noun));
	}

	int(noun: string): bigint {
		const folded = this.uint(noun);
		return folded & 1n ? -(folded >> 1n) - 1n : folded >> 1n;
	}

	/** An unsigned integer of 32 bits. The reference refuses the 64-bit encoding whatever its value. */
	uint32(noun: string): number {
		const value = this.#integer(noun);
		return typeof value === "number" ? value : this.fail(noun, "a 64-bit integer where 32 bits are wanted");
	}

	/** One of some variants, by its index. */
	variant<T>(variants: readonly T[], noun: string): T {
		const index = this.uint32(noun);
		if (index >= variants.length) this.fail(noun, `no variant ${index}, ${variants.length} are known`);
		return variants[index]!;
	}

	float32(noun: string): number {
		return this.#view.getFloat32(this.#skip(4, noun), true);
	}

	/** A length and so many bytes, which are not copied. */
	bytes(limit: number, noun: string): Uint8Array {
		const length = this.#integer(noun);
		if (length > this.#bytes.length - this.#offset) this.fail(noun, `${length} bytes wanted, ${this.#bytes.length - this.#offset} left`);
		if (length > limit) this.fail(noun, `${length} bytes, the limit is ${limit}`);
		const start = this.#skip(Number(length), noun);
		return this.#bytes.subarray(start, this.#offset);
	}

	text(limit: number, noun: string): string {
		const raw = this.bytes(limit, noun);
		try {
			return decoder.decode(raw);
		} catch {
			return this.fail(noun, "not UTF-8");
		}
	}

	/** A list, whose length is believed only if what is left could hold that many elements of some bytes each. */
	list<T>(limit: number, least: number, noun: string, read: () => T): T[] {
		const length = this.#integer(noun);
		const left = this.#bytes.length - this.#offset;
		if (length > Math.floor(left / least)) this.fail(noun, `${length} elements announced, ${left} bytes left`);
		if (length > limit) this.fail(noun, `${length} elements, the limit is ${limit}`);
		this.#elements += Number(length);
		if (this.#elements > this.#maxElements) this.fail(noun, `${this.#elements} elements in all lists so far, the limit is ${this.#maxElements}`);
		const list: T[] = [];
		for (let n = 0; n < length; n++) list.push(read());
		return list;
	}

	/** A number for up to 32 bits; a bigint for an encoding of 64, whatever its value. */
	#integer(noun: string): number | bigint {
		const marker = this.byte(noun);
		switch (marker) {
			case 251:
				return this.#view.getUint16(this.#skip(2, noun), true);
			case 252:
				return this.#view.getUint32(this.#skip(4, noun), true);
			case 253:
				return this.#view.getBigUint64(this.#skip(8, noun), true);
			case 254:
			case 255:
				return this.fail(noun, `byte ${marker} does not start an integer`);
		}
		return marker;
	}

	/** Goes on by so many bytes, and tells where they start. */
	#skip(size: number, noun: string): number {
		if (size > this.#bytes.length - this.#offset) this.fail(noun, "the message ends here");
		this.#offset += size;
		return this.#offset - size;
	}
}
