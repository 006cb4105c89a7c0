// Loads the core in Go: cmd/hakuban-wasm.
import { initialize as setLogLevel } from "../src/connector.js";
import type { Limits } from "../src/wire/limits.js";

/** What the core in Go says. Fields beyond those of its kind have no meaning. */
export interface GoEffect {
	kind: string;
	link: number;
	contract: number;
	offer: number;
	message: Uint8Array<ArrayBuffer>;
	reason: string;
	name: string;
	tags: string[];
	json: string;
	data?: Uint8Array;
	format: string[];
	numbers: Uint8Array;
	now: boolean;
}

export type StepCore = (input: object) => GoEffect[];

/** What the core can be loaded from. */
export type WasmSource = string | URL | BufferSource | Response | WebAssembly.Module;

const levels = ["error", "warn", "info", "debug"];

let maker: ((limits: Limits) => StepCore) | undefined;
let loading: Promise<void> | undefined;

/** Makes a core, once it is loaded. */
export function makeCore(limits: Limits): StepCore {
	if (!maker) throw new Error("the core is not loaded: await initialize() before the first Exchange");
	return maker(limits);
}

/**
 * Loads the core: from hakuban.wasm beside this file, or from what is given. The last argument may be the log level, as in the reference.
 * Another call waits for the first.
 */
export async function initialize(...settings: unknown[]): Promise<void> {
	await setLogLevel(...settings);
	const [first] = settings;
	const source = first === undefined || levels.includes(first as string) ? new URL("hakuban.wasm", import.meta.url) : (first as WasmSource);
	loading ??= load(source);
	return loading.catch((error: unknown) => {
		loading = undefined; // to be tried again
		throw error;
	});
}

async function load(source: WasmSource): Promise<void> {
	await import("wasm_exec");
	const go = new Go();
	const instance = await instantiate(source, go.importObject);
	const name = `hakuban ${Math.random()}`;
	await new Promise<void>((resolve, reject) => {
		const globals = globalThis as unknown as Record<string, unknown>;
		globals[name] = (made: (limits: Limits) => StepCore) => {
			delete globals[name];
			maker = made;
			resolve();
		};
		go.argv = ["hakuban", name];
		go.run(instance).then(() => {
			maker = undefined;
			reject(new Error("the core has ended"));
		}, reject);
	});
}

async function instantiate(source: WasmSource, imports: WebAssembly.Imports): Promise<WebAssembly.Instance> {
	if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source, imports);
	if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return (await WebAssembly.instantiate(source as BufferSource, imports)).instance;
	if (!(source instanceof Response)) {
		const url = new URL(source, import.meta.url);
		if (url.protocol === "file:") {
			const { readFile } = await import("node:fs/promises");
			return instantiate(await readFile(url), imports);
		}
		return instantiate(await fetch(url), imports);
	}
	if (!source.ok) throw new Error(`the core cannot be loaded from ${source.url}: ${source.status}`);
	return (await WebAssembly.instantiate(await source.arrayBuffer(), imports)).instance;
}
