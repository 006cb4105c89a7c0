// The package's classes over the core in Go. The one difference: await initialize() before the first Exchange.
export * from "../src/index.js";
export { initialize, type WasmSource } from "./load.js";
