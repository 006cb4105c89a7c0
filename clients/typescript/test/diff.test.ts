// Diffs, held to the vectors of the Go package wire/diff: what the reference sent.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeDiff } from "../src/diff/encode.js";
import { patch } from "../src/diff/patch.js";
import { maxDiffSize } from "../src/diff/writer.js";
import { DecodeError } from "../src/wire/bytes.js";
import { random } from "./random.js";
import { diffsFile, fromHex } from "./vectors.js";

const from64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

/** Makes the data that a recipe describes. */
function cook(recipe: any[], old: Uint8Array): Buffer {
	return Buffer.concat(recipe.map((part) => {
		if (part.lcg !== undefined) {
			let x = part.lcg;
			return Buffer.from(Uint8Array.from({ length: part.len }, () => (x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff) >> 16));
		}
		if (part.text !== undefined) return Buffer.from(part.text);
		if (part.hex !== undefined) return Buffer.from(part.hex, "hex");
		if (part.repeat !== undefined) return Buffer.concat(Array(part.repeat).fill(cook(part.of, old)));
		if (part.old !== undefined) return Buffer.from(old.subarray(part.old[0], part.old[1]));
		let text = "";
		for (let n = part.count[0]; n < part.count[1]; n++) text += `${part.prefix ?? ""}${n}${part.suffix ?? ""}`;
		return Buffer.from(text);
	}));
}

function material(v: any, which: "old" | "new", old: Uint8Array): Uint8Array {
	if (v[which] !== undefined) return from64(v[which]);
	const data = cook(v[`${which}_recipe`], old);
	assert.equal(createHash("sha256").update(data).digest("hex"), v[`${which}_sha256`], v.name);
	return new Uint8Array(data);
}

const vectors = (JSON.parse(readFileSync(diffsFile, "utf8")) as any[]).map((v) => {
	const old = material(v, "old", new Uint8Array());
	return { name: v.name as string, old, data: material(v, "new", old), diff: from64(v.diff) };
});

test("what the reference sent is applied", () => {
	assert.ok(vectors.length > 100);
	for (const { name, old, data, diff } of vectors) {
		assert.ok(Buffer.from(patch(old, diff, data.length)).equals(data), name);
		if (data.length > 0) assert.throws(() => patch(old, diff, data.length - 1), DecodeError, `${name}: under a limit one byte too small`);
	}
});

test("what the encoder makes is applied, and no longer than it may be, nor in all than a tenth more than the reference's", () => {
	let ours = 0;
	let theirs = 0;
	for (const { name, old, data, diff } of vectors) {
		const encoded = encodeDiff(old, data);
		assert.ok(Buffer.from(patch(old, encoded, data.length)).equals(data), name);
		assert.ok(encoded.length <= maxDiffSize(data.length), name);
		ours += encoded.length;
		theirs += diff.length;
	}
	assert.ok(ours <= 1.1 * theirs, `${ours} bytes, the reference's are ${theirs}`);
});

test("random edits survive", () => {
	const r = random(1);
	for (let round = 0; round < 2000; round++) {
		const old = r.bytes(r.below(300), r.below(4) === 0 ? 256 : 4);
		const at = r.below(old.length + 1);
		const data = new Uint8Array([...old.subarray(0, at), ...r.bytes(r.below(40), 256), ...old.subarray(Math.min(old.length, at + r.below(40)))]);
		const encoded = encodeDiff(old, data);
		assert.deepEqual(patch(old, encoded, data.length), data);
		assert.ok(encoded.length <= maxDiffSize(data.length));
	}
});

test("malformed diffs are refused", () => {
	const old = new Uint8Array(10);
	for (const hex of ["ff", "ff7f", "ff00", "ff7e00", "ff0005", "ff0105", "ff8a0b", "ff8100ff", "fffcffffffff01", "ff84fd", "41ff01fdffffffff"]) {
		assert.throws(() => patch(old, fromHex(hex), 1 << 20), DecodeError, hex);
	}
});
