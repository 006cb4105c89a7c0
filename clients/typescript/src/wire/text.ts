// Text as the wire has it: UTF-8, ordered by its bytes.

/** Whether a text has an encoding in UTF-8: no surrogate stands alone. */
export function isWellFormed(text: string): boolean {
	return !/\p{Surrogate}/u.test(text);
}

/** Orders two texts by their bytes in UTF-8, as the reference does; JavaScript's own order differs beyond U+FFFF. */
export function compareText(a: string, b: string): number {
	const shorter = Math.min(a.length, b.length);
	for (let at = 0; at < shorter; at++) {
		let x = a.charCodeAt(at);
		let y = b.charCodeAt(at);
		if (x === y) continue;
		// A surrogate is half of a character that comes after all others.
		if (x >= 0xd800 && x < 0xe000) x += 0x10000;
		if (y >= 0xd800 && y < 0xe000) y += 0x10000;
		return x - y;
	}
	return a.length - b.length;
}

/** How many bytes a text takes in UTF-8. */
export function sizeOfText(text: string): number {
	let size = text.length;
	for (let at = 0; at < text.length; at++) {
		const unit = text.charCodeAt(at);
		if (unit < 0x80) continue;
		// Of a surrogate pair, which takes four bytes, each unit counts two.
		size += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
	}
	return size;
}

/** A text that a peer chose, or the start of a long one: reasons are logged, and a peer must not fill the log. */
export function brief(text: string): string {
	const most = 100;
	return text.length <= most ? text : text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "") + "…";
}
