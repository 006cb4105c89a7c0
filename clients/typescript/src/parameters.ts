// The parameters of a link that its URL's fragment may tell, as in all exchanges: ws://host:3001#name=bob,timeout=2m.
import type { LoadPoint } from "./wire/event.js";

export interface Parameters {
	name?: string;
	/** Milliseconds. */
	timeout?: number;
	/** Milliseconds. */
	keepAlive?: number;
	loadLimit?: LoadPoint[];
}

/** A URL without its fragment, and what that says. An unknown parameter, one without a value or with a bad one is an error. */
export function parseUri(uri: string): { url: string; parameters: Parameters } {
	const { href, hash, protocol } = new URL(uri);
	if (protocol !== "ws:" && protocol !== "wss:") throw new TypeError(`the scheme of ${uri} is ${protocol} where ws: or wss: was expected`);
	const parameters: Parameters = {};
	for (const pair of hash.slice(1).split(",")) {
		if (pair === "") continue;
		const equals = pair.indexOf("=");
		const set = equals > 0 && Object.hasOwn(setters, pair.slice(0, equals)) && setters[pair.slice(0, equals)];
		if (!set) throw new TypeError(`${uri}: ${pair} is no parameter; ${Object.keys(setters).join(", ")} are`);
		set(parameters, pair.slice(equals + 1));
	}
	return { url: hash === "" ? href : href.slice(0, -hash.length), parameters };
}

const setters: Record<string, (parameters: Parameters, value: string) => void> = {
	name: (parameters, value) => (parameters.name = value),
	timeout: (parameters, value) => (parameters.timeout = parseDuration(value)),
	"keep-alive": (parameters, value) => (parameters.keepAlive = parseDuration(value)),
	nodelay: () => {}, // a socket of ours has no such choice
	"load-limit": (parameters, value) => (parameters.loadLimit = parseLoadLimit(value)),
};

const units: Record<string, number> = { ms: 1, "": 1000, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration such as 500ms, 2s or 1m, or a bare number of seconds, in milliseconds. */
function parseDuration(text: string): number {
	const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text) ?? [];
	if (number === undefined) throw new TypeError(`duration ${text}: a number with ms, s, m or h was expected`);
	return Number(number) * units[unit!]!;
}

/** Points such as 2s:5, or a bare load for one at once, with dashes between. */
function parseLoadLimit(text: string): LoadPoint[] {
	return text.split("-").map((point) => {
		const [load, after] = point.split(":").reverse();
		return { seconds: after === undefined ? 0 : parseDuration(after) / 1000, load: Number(load) };
	});
}
