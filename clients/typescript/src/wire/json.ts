// JSON texts as the reference reads and spells them. Whether two texts name the same object is its to say: it is serde_json without
// its features float_roundtrip and arbitrary_precision.
import { DecodeError } from "./bytes.js";
import { compareText, isWellFormed, sizeOfText } from "./text.js";

/** How many arrays and objects may be open at once. Source: serde_json's recursion limit. */
const maxDepth = 127;

/** The two texts of a JSON value. */
export interface Canonical {
	/** What the reference would send. */
	spelling: string;
	/** Texts name the same value if and only if their identities are equal: the spelling, with -0.0 written as 0.0. */
	identity: string;
}

/**
 * Reads one JSON text. Strict is for texts of our own users: it also refuses what they cannot have meant, or cannot rely on, which are
 * duplicate keys, and floats that the reference changes each time it reads what it wrote.
 */
export function canonical(text: string, limit: number, strict: boolean): Canonical {
	if (sizeOfText(text) > limit) throw tooLong(text, limit);
	if (!isWellFormed(text)) throw new DecodeError("not UTF-8: a surrogate stands alone");
	const parser = new Parser(text, strict, false);
	const spelling = parser.document();
	// What we send must not exceed the limit of a peer like us.
	if (sizeOfText(spelling) > limit) throw tooLong(spelling, limit);
	return { spelling, identity: parser.sawNegativeZero ? new Parser(text, strict, true).document() : spelling };
}

function tooLong(text: string, limit: number): DecodeError {
	return new DecodeError(`descriptor: ${sizeOfText(text)} bytes, the limit is ${limit}`);
}

/** Reads one text and spells it. */
class Parser {
	sawNegativeZero = false;
	readonly #text: string;
	readonly #strict: boolean;
	readonly #fold: boolean; // write -0.0 as 0.0
	#at = 0;
	#depth = 0;

	constructor(text: string, strict: boolean, fold: boolean) {
		this.#text = text;
		this.#strict = strict;
		this.#fold = fold;
	}

	document(): string {
		const value = this.#value();
		if (this.#peek() !== "") this.#fail("text after the value");
		return value;
	}

	#fail(reason: string): never {
		throw new DecodeError(`character ${this.#at}: ${reason}`);
	}

	/** The next character that is no space; "": the text ends. */
	#peek(): string {
		for (;;) {
			const character = this.#text.charAt(this.#at);
			if (character === "" || !" \t\n\r".includes(character)) return character;
			this.#at++;
		}
	}

	/** What matches at this place. */
	#match(pattern: RegExp): RegExpExecArray | null {
		pattern.lastIndex = this.#at;
		const match = pattern.exec(this.#text);
		if (match) this.#at += match[0].length;
		return match;
	}

	#value(): string {
		switch (this.#peek()) {
			case "{":
			case "[":
				return this.#nested();
			case '"':
				return JSON.stringify(this.#string());
		}
		return this.#match(/(?:null|true|false)/y)?.[0] ?? this.#number();
	}

	#nested(): string {
		if (this.#depth === maxDepth) this.#fail(`nested deeper than ${maxDepth}`);
		this.#depth++;
		const text = this.#text.charAt(this.#at++) === "{" ? this.#object() : `[${this.#list("]", () => this.#value()).join(",")}]`;
		this.#depth--;
		return text;
	}

	#object(): string {
		const members = this.#list("}", () => {
			if (this.#peek() !== '"') this.#fail("object: a key wanted");
			const key = this.#string();
			if (this.#peek() !== ":") this.#fail("object: ':' wanted");
			this.#at++;
			return { key, value: this.#value() };
		});
		members.sort((a, b) => compareText(a.key, b.key)); // stable
		const last = members.filter(({ key }, n) => key !== members[n + 1]?.key);
		if (this.#strict && last.length < members.length) this.#fail("object: duplicate key");
		return `{${last.map(({ key, value }) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
	}

	/** Elements with commas between, up to a closing bracket. */
	#list<T>(close: string, element: () => T): T[] {
		const list: T[] = [];
		if (this.#peek() !== close) {
			do list.push(element());
			while (this.#peek() === "," && ++this.#at);
		}
		if (this.#peek() !== close) this.#fail(`',' or '${close}' wanted`);
		this.#at++;
		return list;
	}

	/** The content of a string, at its quote. */
	#string(): string {
		const literal = this.#match(/"[^"\\]*(?:\\[^][^"\\]*)*"/y);
		if (!literal) this.#fail("string: the text ends inside");
		let content = "";
		try {
			content = JSON.parse(literal[0]);
		} catch {
			this.#fail("string: control character or unknown escape");
		}
		if (!isWellFormed(content)) this.#fail("string: lone surrogate");
		return content;
	}

	#number(): string {
		const match = this.#match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
		if (!match || /[0-9]/.test(this.#text.charAt(this.#at))) this.#fail("a value wanted");
		const number = readNumber(match[0]);
		if (typeof number === "bigint") return `${number}`;
		if (!Number.isFinite(number)) this.#fail("number: beyond the range of a float");
		if (Object.is(number, -0)) {
			this.sawNegativeZero = true;
			if (this.#fold) return "0.0";
		}
		const spelling = spellFloat(number);
		if (this.#strict && !Object.is(readNumber(spelling), number)) {
			this.#fail("number: the reference changes this float each time it reads it; fewer digits wanted");
		}
		return spelling;
	}
}

const maxMantissa = 2n ** 64n - 1n;
const maxExponent = 308;

/** What the reference makes of a valid JSON number: integers within int64 and uint64 exactly, else a float. 1 and 1.0 differ. */
export function readNumber(text: string): bigint | number {
	const [, sign, whole, fraction = "", power] = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE](.+))?$/.exec(text)!;
	// A decimal on its way to a float: mantissa * 10^exponent. The reference drops the digits that the mantissa has no room for.
	let mantissa = 0n;
	let exponent = 0;
	let isFloat = fraction !== "" || power !== undefined;
	const digits = (text: string, kept: number, dropped: number): void => {
		let full = false;
		for (const digit of text) {
			const more = 10n * mantissa + BigInt(digit);
			full ||= more > maxMantissa;
			if (full) {
				isFloat = true;
				exponent += dropped;
			} else {
				mantissa = more;
				exponent += kept;
			}
		}
	};
	digits(whole!, 0, 1);
	digits(fraction, -1, 0);
	if (power !== undefined) exponent += Number(power);
	const negative = sign === "-";
	if (!isFloat && !negative) return mantissa;
	if (!isFloat && mantissa > 0n && mantissa <= 2n ** 63n) return -mantissa;
	const float = scale(Number(mantissa), exponent);
	return negative ? -float : float;
}

/**
 * The float that the reference makes of a decimal. Scaling in floating point rounds twice, so that the result may be a unit in the last
 * place away from the text: hence the same operations in the same order.
 */
function scale(float: number, exponent: number): number {
	const power = (n: number): number => Number(`1e${n}`);
	while (float !== 0 && exponent < -maxExponent) {
		float /= power(maxExponent);
		exponent += maxExponent;
	}
	if (float === 0) return 0;
	if (exponent > maxExponent) return Infinity;
	return exponent >= 0 ? float * power(exponent) : float / power(-exponent);
}

/** A float with the fewest digits that tell it from every other: with a point from 10^-5 until 10^16, else with an exponent. */
function spellFloat(float: number): string {
	const magnitude = Math.abs(float);
	if (magnitude !== 0 && (magnitude < 1e-5 || magnitude >= 1e16)) return float.toExponential();
	const text = Object.is(float, -0) ? "-0" : String(float);
	return text.includes(".") ? text : `${text}.0`;
}
