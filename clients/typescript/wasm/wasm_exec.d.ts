// Go's own support of wasm, which the build takes from the Go that builds the core.
declare module "wasm_exec" {}

declare class Go {
	argv: string[];
	readonly importObject: WebAssembly.Imports;
	run(instance: WebAssembly.Instance): Promise<void>;
}
