// A router, and a web server for pages.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

const root = new URL("../../../../", import.meta.url);
const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

/** The client to test: that around the core in TypeScript, unless another file of dist is named. */
const client = process.env["HAKUBAN_CLIENT"] ?? "hakuban.min.js";

/** Serves the project's files, and an empty page with the client as `hakuban`. */
export async function serve(): Promise<{ server: Server; url: string }> {
	const page = `<!doctype html><meta charset="utf-8"><script type="module">
		import * as hakuban from "/clients/typescript/dist/${client}";
		await hakuban.initialize("error");
		Object.assign(globalThis, { hakuban, uncaught: [] });
		addEventListener("error", (event) => uncaught.push(String(event.error ?? event.message)));
		addEventListener("unhandledrejection", (event) => uncaught.push(String(event.reason)));
	</script>`;
	const server = createServer((request, response) => {
		const { pathname } = new URL(request.url!, "http://localhost");
		try {
			const body = pathname === "/" ? page : readFileSync(new URL(`.${pathname}`, root));
			response.writeHead(200, { "content-type": types[extname(pathname)] ?? "text/html" }).end(body);
		} catch {
			response.writeHead(404).end();
		}
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A router of this project's, that can be killed and started again on its port. */
export class Router {
	url = "";
	readonly #program: string;
	readonly #origin: string;
	#process: ChildProcess | undefined;

	/** Of a program, for the pages of one web server. */
	constructor(program: string, origin: string) {
		this.#program = program;
		this.#origin = origin;
	}

	async start(parameters = "keep-alive=1s,timeout=4s"): Promise<void> {
		const bind = this.url || "ws://127.0.0.1:0";
		const child = spawn(this.#program, ["--bind", `${bind}#${parameters}`, "--allow-origin", this.#origin], { stdio: ["ignore", "ignore", "pipe"] });
		this.#process = child;
		let log = "";
		this.url = await new Promise<string>((resolve, reject) => {
			child.stderr!.setEncoding("utf8").on("data", (text: string) => {
				log += text;
				const found = /listening.*?(ws:\/\/[^\s"#]+)/.exec(log);
				if (found) resolve(found[1]!.replace(/\/$/, ""));
			});
			child.once("exit", () => reject(new Error(`the router ended:\n${log}`)));
		});
	}

	async kill(): Promise<void> {
		const exited = once(this.#process!, "exit");
		this.#process!.kill("SIGKILL");
		await exited;
	}
}
