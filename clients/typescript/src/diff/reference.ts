// References: their sizes and bytes. docs/protocol.md has the format.

/** Bit 7 of the control byte. */
export const fromOutput = 0x00;
export const fromOld = 0x80;

export const maxPosition = 2 ** 32 - 1;
export const maxLength = 2 ** 32 - 1;

/** The position that says "delta bytes after the output's end, in the old data", delta being negative for before. */
export function oldPosition(delta: number): number {
	return delta > 0 ? 2 * delta - 1 : -2 * delta;
}

/** How many bytes a position adds to a reference. */
function positionSize(position: number): number {
	return position < 124 ? 0 : position < 2 ** 16 ? 2 : position < 2 ** 24 ? 3 : 4;
}

/** How many bytes a length takes in a reference. */
function lengthSize(length: number): number {
	return length < 253 ? 1 : length < 2 ** 16 ? 3 : length < 2 ** 24 ? 4 : 5;
}

/** The size of one reference in bytes, at most 11. */
export function referenceSize(position: number, length: number): number {
	return 2 + positionSize(position) + lengthSize(length);
}

/** The bytes of one reference in its shortest form. */
export function referenceBytes(escape: number, kind: number, position: number, length: number): number[] {
	const bytes = [escape];
	const bigEndian = (value: number, size: number): void => {
		for (let shift = size - 1; shift >= 0; shift--) bytes.push(Math.floor(value / 256 ** shift) & 255);
	};
	const size = positionSize(position);
	bytes.push(kind | (size === 0 ? position : 128 - size)); // 126, 125, 124
	bigEndian(position, size);
	const more = lengthSize(length) - 1;
	bytes.push(more === 0 ? length : 257 - more); // 255, 254, 253
	bigEndian(length, more);
	return bytes;
}

/** Whether a reference to the old data, delta bytes after the output's end, is shorter than the bytes it stands for. */
export function worthwhile(delta: number, length: number): boolean {
	return referenceSize(oldPosition(delta), length) < length;
}
