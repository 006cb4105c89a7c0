// Builds the core in Go into dist/hakuban.wasm, makes dist/hakuban-wasm.min.js, the client around it, and checks what the two take in gzip.
import { build, type Plugin } from "esbuild";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const limit = 1_300_000; // bytes

const packageFolder = new URL("../../", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, packageFolder));
const go = (args: string[], env: object = {}): string =>
	execFileSync("go", args, { cwd: path("../../"), env: { ...process.env, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Puts the core in Go in the place of the other. */
const coreInGo: Plugin = {
	name: "core in Go",
	setup({ onResolve }) {
		onResolve({ filter: /\/core\/core\.js$/ }, () => ({ path: path("wasm/core.ts") }));
		onResolve({ filter: /^wasm_exec$/ }, () => ({ path: join(go(["env", "GOROOT"]).trim(), "lib", "wasm", "wasm_exec.js"), sideEffects: true }));
	},
};

go(["build", "-trimpath", "-ldflags", "-s -w", "-o", path("dist/hakuban.wasm"), "./cmd/hakuban-wasm"], { GOOS: "js", GOARCH: "wasm" });
const outfile = path("dist/hakuban-wasm.min.js");
await build({
	entryPoints: [path("wasm/index.ts")], outfile, plugins: [coreInGo], bundle: true, minify: true, format: "esm", target: "es2022",
	external: ["node:*"], logLevel: "warning",
});

// The tests of the library, and the peer and the core that the Go tests drive, with the core in Go.
for (const program of ["test/library.test", "test/connector.test", "tools/peer", "tools/core"]) {
	const contents = `
		import { readFileSync } from "node:fs";
		import { initialize } from "./wasm/load.js";
		await initialize(readFileSync(new URL("../../hakuban.wasm", import.meta.url)));
		await import("./${program}.js");
	`;
	await build({
		stdin: { contents, resolveDir: path("."), loader: "ts" }, outfile: path(`dist/wasm/${program}.js`), plugins: [coreInGo], bundle: true,
		platform: "node", format: "esm", target: "es2022", packages: "external", logLevel: "warning",
	});
}

const sizes = ["dist/hakuban.wasm", "dist/hakuban-wasm.min.js"].map((name) => gzipSync(readFileSync(path(name)), { level: 9 }).length);
const size = sizes.reduce((a, b) => a + b);
console.log(`dist/hakuban.wasm and dist/hakuban-wasm.min.js: ${sizes.join(" and ")} bytes in gzip, the limit is ${limit} in all`);
if (size > limit) process.exit(1);
