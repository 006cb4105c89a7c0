import { DecodeError } from "./bytes.js";
import { canonical } from "./json.js";
import type { Limits } from "./limits.js";
import { compareText, sizeOfText } from "./text.js";

/** What names an object: a JSON value and a set of tags, each a JSON value too. */
export interface Descriptor {
	/** Names the same object if and only if the keys are equal: the tags' identities as an array, then the json's identity. */
	readonly key: string;
	/** The tags' spellings, in the order of their identities, each once. */
	readonly tags: readonly string[];
	readonly tagIdentities: readonly string[];
	/** The spelling of the object's own JSON value. */
	readonly json: string;
	/** What all the texts take, in bytes. */
	readonly size: number;
}

/** Makes the descriptor of an object from JSON texts. Strict is for those of our own users: see {@link canonical}. */
export function makeDescriptor(tags: readonly string[], json: string, limits: Limits, strict: boolean): Descriptor {
	if (tags.length > limits.tags) throw new DecodeError(`tags: ${tags.length} elements, the limit is ${limits.tags}`);
	const read = tags.map((tag, n) => within(`tag ${n}`, () => canonical(tag, limits.descriptor, strict)));
	const own = within("json", () => canonical(json, limits.descriptor, strict));
	// In whole too: it is sent on in one message with others, to peers that hold us to the same limits.
	const spelled = read.reduce((sum, tag) => sum + sizeOfText(tag.spelling), sizeOfText(own.spelling));
	if (spelled > limits.descriptor) throw new DecodeError(`tags and json: ${spelled} bytes in all, the limit is ${limits.descriptor}`);
	read.sort((a, b) => compareText(a.identity, b.identity)); // stable
	const distinct = read.filter((tag, n) => tag.identity !== read[n - 1]?.identity);
	const tagIdentities = distinct.map((tag) => tag.identity);
	const key = `[${tagIdentities.join(",")}]${own.identity}`;
	const texts = distinct.flatMap((tag) => [tag.spelling, tag.identity]);
	return {
		key,
		tags: distinct.map((tag) => tag.spelling),
		tagIdentities,
		json: own.spelling,
		size: [key, own.spelling, ...texts].reduce((sum, text) => sum + sizeOfText(text), 0),
	};
}

function within<T>(where: string, read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw error instanceof DecodeError ? new DecodeError(`${where}: ${error.message}`) : error;
	}
}
