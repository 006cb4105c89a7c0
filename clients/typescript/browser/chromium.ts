// Drives a headless Chromium over the DevTools protocol.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import type { Socket } from "../src/connector.js";

const programs = ["chromium", "chromium-browser", "google-chrome"];

/** The program to run; undefined: there is none. */
export function findChromium(): string | undefined {
	return programs.find((program) => spawnSync(program, ["--version"]).status === 0);
}

export class Chromium {
	readonly #process: ChildProcess;
	readonly #folder: string;
	readonly #socket: Socket;
	readonly #answers = new Map<number, (message: any) => void>();
	#lastId = 0;

	constructor(process: ChildProcess, folder: string, socket: Socket) {
		this.#process = process;
		this.#folder = folder;
		this.#socket = socket;
		socket.onmessage = ({ data }) => {
			const message = JSON.parse(data);
			this.#answers.get(message.id)?.(message);
			this.#answers.delete(message.id);
		};
	}

	static async start(program: string): Promise<Chromium> {
		const folder = mkdtempSync(join(tmpdir(), "hakuban-chromium-"));
		const child = spawn(program, [
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${folder}`, "--remote-debugging-port=0",
			// A hidden page's timers are slow from the start, not after five minutes.
			"--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1/grace_period_seconds_loaded/1", "--intensive-wake-up-throttling-policy=force-enable",
			"about:blank",
		], { stdio: ["ignore", "ignore", "pipe"] });
		let log = "";
		const address = await new Promise<string>((resolve, reject) => {
			child.stderr!.setEncoding("utf8").on("data", (text: string) => {
				log += text;
				const found = /DevTools listening on (ws:\S+)/.exec(log);
				if (found) resolve(found[1]!);
			});
			child.once("exit", () => reject(new Error(`chromium ended:\n${log}`)));
		});
		const socket = new WebSocket(address);
		await new Promise<void>((resolve, reject) => {
			socket.onopen = () => resolve();
			socket.onerror = ({ message }) => reject(new Error(message));
		});
		return new Chromium(child, folder, socket);
	}

	/** Sends a command, to a page if its session is given, and returns its result. */
	async command(method: string, params: object = {}, sessionId?: string): Promise<any> {
		const id = ++this.#lastId;
		const answer = new Promise<any>((resolve) => this.#answers.set(id, resolve));
		this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
		const { result, error } = await answer;
		if (error) throw new Error(`${method}: ${error.message}`);
		return result;
	}

	/** Opens a page in a window of its own. */
	async open(url: string): Promise<Page> {
		const { targetId } = await this.command("Target.createTarget", { url, newWindow: true });
		const { sessionId } = await this.command("Target.attachToTarget", { targetId, flatten: true });
		await this.command("Network.enable", {}, sessionId);
		return new Page(this, targetId, sessionId);
	}

	async close(): Promise<void> {
		const exited = once(this.#process, "exit");
		await this.command("Browser.close");
		await exited;
		this.#socket.close();
		rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
	}
}

export class Page {
	readonly #chromium: Chromium;
	readonly #target: string;
	readonly #session: string;

	constructor(chromium: Chromium, target: string, session: string) {
		this.#chromium = chromium;
		this.#target = target;
		this.#session = session;
	}

	/** The value of an expression, or of its promise. */
	async evaluate<T = any>(expression: string): Promise<T> {
		const { result, exceptionDetails } = await this.#chromium.command("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, this.#session);
		if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
		return result.value as T;
	}

	/** Waits until an expression is true. */
	async until(expression: string, patience = 30_000): Promise<void> {
		const end = Date.now() + patience;
		while (!(await this.evaluate(expression).catch(() => false))) {
			if (Date.now() > end) throw new Error(`not within ${patience} ms: ${expression}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	async offline(offline: boolean): Promise<void> {
		await this.#chromium.command("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }, this.#session);
	}

	/** Hides the page's window, or shows it. */
	async hide(hidden: boolean): Promise<void> {
		const { windowId } = await this.#chromium.command("Browser.getWindowForTarget", { targetId: this.#target });
		await this.#chromium.command("Browser.setWindowBounds", { windowId, bounds: { windowState: hidden ? "minimized" : "normal" } });
	}

	async close(): Promise<void> {
		await this.#chromium.command("Target.closeTarget", { targetId: this.#target });
	}
}
