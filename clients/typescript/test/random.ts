/** Random numbers that are the same for the same seed. */
export function random(seed: number): { below(n: number): number; bytes(length: number, values: number): Uint8Array; pick<T>(list: readonly T[]): T } {
	let state = seed >>> 0;
	const next = (): number => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return (t ^ (t >>> 14)) >>> 0;
	};
	const below = (n: number): number => next() % n;
	return {
		below,
		bytes: (length, values) => Uint8Array.from({ length }, () => below(values)),
		pick: (list) => list[below(list.length)]!,
	};
}
