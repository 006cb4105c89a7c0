// Makes dist/hakuban.min.js, the whole client in one file, and checks what it takes in gzip.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const limit = 25_000; // bytes

const packageFolder = new URL("../../", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, packageFolder));

const outfile = path("dist/hakuban.min.js");
await build({ entryPoints: [path("src/index.ts")], outfile, bundle: true, minify: true, format: "esm", target: "es2022", logLevel: "warning" });
const size = gzipSync(readFileSync(outfile), { level: 9 }).length;
console.log(`dist/hakuban.min.js: ${size} bytes in gzip, the limit is ${limit}`);
if (size > limit) process.exit(1);
