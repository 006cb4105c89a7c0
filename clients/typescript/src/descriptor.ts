import { type Descriptor, makeDescriptor } from "./wire/descriptor.js";
import { defaultLimits } from "./wire/limits.js";

/** A value that JSON can write. */
export type JSONValue = null | boolean | number | string | readonly JSONValue[] | { readonly [key: string]: JSONValue | undefined };

/** The JSON text of a value. JavaScript has no integer 1 beside a float 1.0: it writes 1, which names another object than 1.0 does. */
function textOf(json: unknown): string {
	const text: string | undefined = JSON.stringify(json);
	if (text === undefined) throw new TypeError(`${typeof json} is no JSON value`);
	return text;
}

/** Names a tag: a JSON value. */
export class TagDescriptor {
	/** For the core: that of an object without tags whose json is the tag. */
	readonly core: Descriptor;

	constructor(json: JSONValue) {
		this.core = makeDescriptor([], textOf(json), defaultLimits, true);
	}

	/** The tag with a JSON text, which can tell 1.0 from 1 and has integers of 64 bits. */
	static parse(text: string): TagDescriptor {
		return TagDescriptor.#of(makeDescriptor([], text, defaultLimits, true));
	}

	static #of(core: Descriptor): TagDescriptor {
		return Object.create(TagDescriptor.prototype, { core: { value: core, enumerable: true } }) as TagDescriptor;
	}

	/** The tag's value. It is as exact as JavaScript's numbers; {@link text} is exact. */
	get json(): any {
		return JSON.parse(this.core.json);
	}

	/** The tag's JSON text as exchanges spell it. */
	get text(): string {
		return this.core.json;
	}
}

/** Names an object: a JSON value and a set of tags. */
export class ObjectDescriptor {
	/** For the core. */
	readonly core: Descriptor;

	constructor(tags: readonly (TagDescriptor | JSONValue)[], json: JSONValue) {
		const texts = tags.map((tag) => (tag instanceof TagDescriptor ? tag.text : textOf(tag)));
		this.core = makeDescriptor(texts, textOf(json), defaultLimits, true);
	}

	/** The object with JSON texts, which can tell 1.0 from 1 and have integers of 64 bits. */
	static parse(tags: readonly string[], text: string): ObjectDescriptor {
		return ObjectDescriptor.of(makeDescriptor(tags, text, defaultLimits, true));
	}

	/** The object that the core names; for this package. */
	static of(core: Descriptor): ObjectDescriptor {
		return Object.create(ObjectDescriptor.prototype, { core: { value: core, enumerable: true } }) as ObjectDescriptor;
	}

	/** The object's value. It is as exact as JavaScript's numbers; {@link text} is exact. */
	get json(): any {
		return JSON.parse(this.core.json);
	}

	get tags(): TagDescriptor[] {
		return this.core.tags.map((tag) => TagDescriptor.parse(tag));
	}

	/** The object's JSON text as exchanges spell it. */
	get text(): string {
		return this.core.json;
	}

	/** A text that two descriptors share if and only if they name the same object. */
	get key(): string {
		return this.core.key;
	}
}
