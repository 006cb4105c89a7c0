// Applies the byte diffs that carry states. docs/protocol.md has their format.
import { DecodeError } from "../wire/bytes.js";

/** What a diff asks to copy. */
interface Copy {
	source: "diff" | "old" | "output";
	from: number;
	length: number;
}

/**
 * The data that a diff turns old into, of at most limit bytes; it shares no memory with either. A diff that ends inside a reference, or
 * that has one outside its source, is refused with a {@link DecodeError} before anything is allocated.
 */
export function patch(old: Uint8Array, diff: Uint8Array, limit: number): Uint8Array {
	let size = 0;
	for (const copy of copies(old.length, diff, limit)) size += copy.length;
	const output = new Uint8Array(size);
	let end = 0;
	for (const { source, from, length } of copies(old.length, diff, size)) {
		if (source === "output") {
			// Where the copy overlaps its own result, the bytes in between repeat: each round copies all that is there already.
			for (let done = 0; done < length; ) {
				const chunk = Math.min(length - done, end + done - from);
				output.copyWithin(end + done, from, from + chunk);
				done += chunk;
			}
		} else {
			output.set((source === "old" ? old : diff).subarray(from, from + length), end);
		}
		end += length;
	}
	return output;
}

/** Takes a diff apart, and checks that each copy lies inside its source. */
function* copies(oldLength: number, diff: Uint8Array, limit: number): Generator<Copy> {
	let at = 0;
	let escape = 0xff;
	let written = 0;
	const fail = (reason: string): never => {
		throw new DecodeError(`malformed diff before byte ${at}: ${reason}`);
	};
	const integer = (size: number): number => {
		if (diff.length - at < size) fail("it ends inside a reference");
		let value = 0;
		for (const end = at + size; at < end; at++) value = 256 * value + diff[at]!;
		return value;
	};
	const take = (copy: Copy): Copy => {
		if (copy.length > limit - written) fail(`output of ${written}+${copy.length} bytes, the limit is ${limit}`);
		written += copy.length;
		return copy;
	};
	while (at < diff.length) {
		const start = at;
		if (diff[at] !== escape) {
			const end = diff.indexOf(escape, at);
			at = end < 0 ? diff.length : end;
			yield take({ source: "diff", from: start, length: at - start });
			continue;
		}
		at++;
		const control = integer(1);
		if (control === 255 || control === 127) {
			if (control === 127) escape = integer(1);
			yield take({ source: "diff", from: start, length: 1 });
			continue;
		}
		const low = control & 0x7f;
		const position = low < 124 ? low : integer(128 - low);
		const first = integer(1);
		const length = first < 253 ? first : integer(257 - first);
		if (control & 0x80) {
			const from = position % 2 === 0 ? written - position / 2 : written + (position - 1) / 2 + 1;
			if (from < 0 || from + length > oldLength) fail(`reference to bytes ${from} to ${from + length} of ${oldLength} old ones`);
			yield take({ source: "old", from, length });
		} else {
			const from = written - position;
			if (from < 0 || (length > 0 && position === 0)) fail(`reference ${position} bytes back in ${written} of output`);
			yield take({ source: "output", from, length });
		}
	}
}
