// The client in headless Chromium, with a router of this project's. HAKUBAN_ROUTER names the router's program.
import assert from "node:assert/strict";
import type { Server } from "node:http";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { Exchange, ObjectState } from "../src/index.js";
import { Chromium, findChromium, type Page } from "./chromium.js";
import { Router, serve } from "./world.js";

const program = findChromium();
const missing = !program ? "no Chromium here" : !process.env["HAKUBAN_ROUTER"] ? "HAKUBAN_ROUTER names no router (make browser)" : undefined;
const skip = missing !== undefined && process.env["HAKUBAN_REQUIRE_INTEROP"] !== "1" && missing;

let chromium: Chromium;
let server: Server;
let url: string;
let router: Router;
/** An exchange of this process, linked to the router. */
let exchange: Exchange;

before(async () => {
	if (skip) return;
	assert.equal(missing, undefined);
	({ server, url } = await serve());
	router = new Router(process.env["HAKUBAN_ROUTER"]!, url);
	await router.start();
	chromium = await Chromium.start(program!);
	exchange = new Exchange("test");
	exchange.connect(router.url, { WebSocket, keepAlive: 2000 });
});

after(async () => {
	if (skip) return;
	await chromium?.close();
	await exchange?.close();
	server?.close();
	await router?.kill();
});

/** Opens a page with an exchange that is linked to the router, and shows what happens to it in `seen`. */
async function open(name: string): Promise<Page> {
	const page = await chromium.open(url);
	await page.until("globalThis.hakuban !== undefined");
	await page.evaluate(`
		globalThis.exchange = new hakuban.Exchange(${JSON.stringify(name)});
		globalThis.connector = exchange.connect(${JSON.stringify(router.url)}, { keepAlive: 2000 });
		globalThis.connected = [];
		(async () => { for await (const status of connector) connected.push(status.connected); })();
		globalThis.watch = (json) => {
			const seen = [];
			exchange.observeObject([], json).forEach((stream) => stream.forEach((state) => seen.push([state.json(), state.synchronized === "now"])));
			return seen;
		}; 0`);
	await page.until("connected.at(-1)");
	return page;
}

async function close(page: Page): Promise<void> {
	assert.deepEqual(await page.evaluate("uncaught"), []);
	await page.close();
}

test("a page sees states, and again after the router was restarted", { skip }, async () => {
	const page = await open("reconnect");
	await page.evaluate('globalThis.seen = watch("restart"); 0');
	const sinks = exchange.exposeObject([], "restart");
	void sinks.forEach(async (sink) => {
		sink.publish("here");
		await sink.closed;
	});
	await page.until('seen.some(([value, now]) => value === "here" && now)');
	await router.kill();
	await page.until("!connected.at(-1) && !seen.at(-1)[1]");
	await router.start();
	await page.until("connected.at(-1) && seen.at(-1)[1]");
	await sinks.close();
	await close(page);
});

test("a page that is offline tries again at once when it is online", { skip }, async () => {
	const page = await open("offline");
	await page.offline(true);
	await page.until("!navigator.onLine");
	await page.evaluate("connector.disconnect().then(() => { globalThis.connector = exchange.connect(connector.uri, { keepAlive: 2000 }); })");
	await page.evaluate('globalThis.tries = 0; (async () => { for await (const status of connector) tries++; })(); 0');
	// The delay between two attempts grows to at least 3 s: so the next one would be late.
	await page.until("tries >= 7", 60_000);
	assert.equal(await page.evaluate("connector.status().then(([{ connected }]) => connected)"), false);
	await page.offline(false);
	await page.until("connector.status().then(([{ connected }]) => connected)", 2000);
	await close(page);
});

test("a hidden page, whose timers come once a minute, keeps its link and sees states", { skip }, async () => {
	const page = await open("hidden");
	await page.evaluate('globalThis.seen = watch("while hidden"); setInterval(() => { globalThis.lastTick = Date.now(); }, 100); 0');
	await page.hide(true);
	await page.until('document.visibilityState === "hidden"');
	// At first its timers come once a second, then once a minute. From then on for more than twice the router's timeout:
	await page.until("Date.now() - lastTick > 3000", 90_000);
	await new Promise((resolve) => setTimeout(resolve, 9000));
	const sinks = exchange.exposeObject([], "while hidden");
	const sink = (await sinks.next())!;
	sink.publish("hello");
	await page.until('seen.some(([value]) => value === "hello")');
	await page.hide(false);
	await page.until('document.visibilityState === "visible"');
	assert.equal(await page.evaluate("connected.lastIndexOf(false) < connected.indexOf(true)"), true, "the link was lost");
	await sinks.close();
	await close(page);
});

test("large states go both ways", { skip }, async () => {
	const page = await open("large");
	const size = 8 << 20;
	await page.evaluate(`globalThis.length = 0; exchange.observeObject([], "down").forEach((stream) => stream.forEach((state) => { length = state.data.length; }));
		exchange.exposeObject([], "up").forEach(async (sink) => { sink.publish(new hakuban.ObjectState(new Uint8Array(${size}).map((_, n) => n * n >> 8))); await sink.closed; }); 0`);
	const down = exchange.exposeObject([], "down");
	(await down.next())!.publish(new ObjectState(new Uint8Array(size).map((_, n) => (n * n) >> 8)));
	const up = exchange.observeObject([], "up");
	const state = (await (await up.next())!.next())!;
	assert.equal(state.data.length, size);
	assert.equal(state.data[300], ((300 * 300) >> 8) & 255);
	await page.until(`length === ${size}`);
	await Promise.all([down.close(), up.close()]);
	await close(page);
});

test("of two tabs one is elected, and when it is closed the other", { skip }, async () => {
	const pages = [await open("first tab"), await open("second tab")];
	for (const page of pages) {
		await page.evaluate(`globalThis.leads = false; exchange.exposeObject([], "leader").forEach(async (sink) => {
			leads = true; sink.publish(exchange.name); await sink.closed; leads = false; }); 0`);
	}
	const leaders = async (): Promise<boolean[]> => Promise.all(pages.map((page) => page.evaluate<boolean>("leads")));
	const observer = exchange.observeObject<string>([], "leader");
	const stream = (await observer.next())!;
	const first = (await stream.next())!.json();
	assert.deepEqual((await leaders()).filter((leads) => leads).length, 1);
	const [leader, other] = first === "first tab" ? [0, 1] : [1, 0];
	await pages[leader]!.close();
	for (let state = await stream.next(); state!.json() === first; state = await stream.next());
	await pages[other]!.until("leads");
	await observer.close();
	await close(pages[other]!);
});

test("ids that are markup are shown as text by the example's page", { skip }, async () => {
	const hostile = `<img src=x onerror="document.title='broken'">`;
	const sinks = exchange.exposeObject(["utilizations"], { host: hostile, process: "<script>document.title='broken'</script>" });
	void sinks.forEach(async (sink) => {
		sink.publish({ percentage: [12, 80] });
		await sink.closed;
	});
	const page = await chromium.open(`${url}/examples/all-top/index.html?router=${router.url}`);
	await page.until('document.querySelectorAll(".load").length === 2');
	assert.equal(await page.evaluate('document.querySelector(".host").textContent'), `${hostile}:<script>document.title='broken'</script>`);
	assert.deepEqual(await page.evaluate('[document.querySelectorAll("main img, main script").length, document.title]'), [0, "all-top"]);
	await sinks.close();
	await page.until('document.querySelectorAll(".host").length === 0');
	await page.close();
});
