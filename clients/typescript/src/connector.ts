import type { Link } from "./core/link.js";
import type { ProtocolError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { parseUri } from "./parameters.js";
import type { LoadPoint } from "./wire/event.js";

/** What of the standard's WebSocket is used; that of the package `ws` will do. */
export interface Socket {
	binaryType: string;
	readonly readyState: number;
	readonly bufferedAmount: number;
	onopen: ((event: any) => void) | null;
	onmessage: ((event: any) => void) | null;
	onerror: ((event: any) => void) | null;
	onclose: ((event: any) => void) | null;
	send(data: string | Uint8Array<ArrayBuffer>): void;
	close(code?: number, reason?: string): void;
}

export interface ConnectorOptions {
	/** Told to upstream instead of the exchange's name. */
	name?: string | undefined;
	/** Milliseconds of silence from the peer that end the link. 120,000 unless given. */
	timeout?: number | undefined;
	/** Milliseconds after which something is sent at the latest, so that the peer does not hear silence. 60,000 unless given. */
	keepAlive?: number | undefined;
	/** The reference's name of keepAlive. */
	heartbeat_interval?: number | undefined;
	/** Milliseconds that making a connection may take. 10,000 unless given. */
	handshakeTimeout?: number | undefined;
	/** Bounds what upstream's elections give to this exchange, as a function of the time since the link was made. None: unlimited. */
	loadLimit?: LoadPoint[] | undefined;
	/** Disconnects when it aborts. */
	signal?: AbortSignal | undefined;
	/** Makes websockets, where the runtime has none, as Node 20, or another is wanted: `ws`, for example. */
	WebSocket?: (new (url: string) => Socket) | undefined;
	/** Told what the connector has no caller to tell. Nobody unless given, but for what {@link initialize} sets. */
	log?: ((level: LogLevel, text: string) => void) | undefined;
}

export type LogLevel = "error" | "warn" | "info" | "debug";

/** What there is to tell of a connector. */
export type ConnectorStatus =
	| { readonly connected: true }
	| {
			readonly connected: false;
			/** Why the last link ended, or could not be made. */
			readonly disconnect_reason?: string;
			/** Whether the last link ended with the websocket's closing handshake. */
			readonly clean_disconnect?: boolean;
			/** Why there was no link to make. */
			readonly error?: unknown;
			/** No more attempts are made. */
			readonly stopped?: boolean;
	  };

export type StatusAndNext = [status: ConnectorStatus, next: Promise<StatusAndNext>];

/** How many bytes of messages are encoded at a time: what is encoded can no longer be replaced by newer states. */
const pullBudget = 64 * 1024;
/** How many bytes may wait in the socket for more to be encoded. */
const highWater = 2 ** 20;
/** How often a socket that has too many is looked at, in milliseconds: websockets do not tell. */
const drainPause = 20;

/** Delays between attempts grow from the first to the greatest, in milliseconds, give or take a quarter. */
const firstDelay = 100;
const greatestDelay = 10_000;
/** How long a link must have lived to be worth an immediate attempt to make it again, in milliseconds. */
const lived = 1000;

/** The codes of the close frame. The standard leaves a page no others. */
const closeNormal = 1000;
const closeFault = 4002;

/** One websocket, from the attempt to make it on. */
interface Session {
	readonly socket: Socket;
	link: Link | undefined; // once the connection is made
	made: number;
	lastSent: number;
	lastHeard: number;
	suspected: number | undefined; // since when the peer, silent for too long, has had a last chance
	flushing: boolean;
}

/**
 * Keeps an exchange linked to its upstream. It connects at once and tries for ever: again at once after a link that had lived for a second,
 * else after a delay that grows from 0.1 s to 10 s. An exchange can have one connector at a time.
 */
export class WebsocketConnector implements AsyncIterable<ConnectorStatus> {
	readonly exchange: Exchange;
	readonly uri: string;
	readonly #url: string;
	readonly #shown: string; // without the query, which may be a secret
	readonly #name: string;
	readonly #timeout: number;
	readonly #keepAlive: number;
	readonly #handshakeTimeout: number;
	readonly #loadLimit: LoadPoint[];
	readonly #log: (level: LogLevel, text: string) => void;
	readonly #WebSocket: new (url: string) => Socket;
	#session: Session | undefined;
	#stopped: Promise<void> | undefined;
	#closed: (() => void) | undefined; // tells that the last socket is gone
	#timer: ReturnType<typeof setTimeout> | undefined; // of the next attempt, the handshake or the pulse
	#drain: ReturnType<typeof setTimeout> | undefined;
	#delay = firstDelay;
	#status: ConnectorStatus = { connected: false };
	#next = promiseWithResolve<StatusAndNext>();

	constructor(exchange: Exchange, uri: string, options: ConnectorOptions = {}) {
		const { url, parameters } = parseUri(uri);
		this.exchange = exchange;
		this.uri = uri;
		this.#url = url;
		this.#shown = url.replace(/\?.*/, "");
		this.#name = options.name ?? parameters.name ?? exchange.name;
		this.#timeout = positive(options.timeout ?? parameters.timeout ?? 120_000, "timeout");
		this.#keepAlive = positive(options.keepAlive ?? options.heartbeat_interval ?? parameters.keepAlive ?? 60_000, "keepAlive");
		this.#handshakeTimeout = positive(options.handshakeTimeout ?? 10_000, "handshakeTimeout");
		this.#loadLimit = options.loadLimit ?? parameters.loadLimit ?? [];
		this.#log = options.log ?? logToConsole;
		const WebSocket = options.WebSocket ?? (globalThis.WebSocket as (new (url: string) => Socket) | undefined);
		if (!WebSocket) throw new TypeError("this runtime has no WebSocket: give one as an option, that of the package ws for example");
		this.#WebSocket = WebSocket;
		options.signal?.throwIfAborted();
		exchange.step((core) => core.checkLink(this.#name, this.#loadLimit)); // now, since every attempt would fail
		exchange.claim(this);
		options.signal?.addEventListener("abort", () => void this.disconnect(), { once: true });
		for (const [target, event] of wakeUps) target()?.addEventListener(event, this.#wakeUp);
		this.#connect();
	}

	/** Whether there is a link, and a promise of the next status with its next. */
	async status(): Promise<StatusAndNext> {
		return [this.#status, this.#next.promise];
	}

	/** Upstream's name, once it has told; undefined: not connected, or not yet told. */
	get remoteName(): string | undefined {
		return this.#session?.link?.remoteName;
	}

	/** The status of now, and each that comes: the newest only. It ends when the connector is disconnected. */
	async *[Symbol.asyncIterator](): AsyncGenerator<ConnectorStatus, void, undefined> {
		for (;;) {
			const status = this.#status;
			const { promise } = this.#next;
			yield status;
			if (!status.connected && status.stopped) return;
			if (this.#status === status) await promise;
		}
	}

	/** Ends the link and tries no more. What is sent from now on stays here. Resolves when the socket is closed. */
	disconnect(): Promise<void> {
		this.#stopped ??= new Promise((resolve) => {
			for (const [target, event] of wakeUps) target()?.removeEventListener(event, this.#wakeUp);
			this.exchange.unclaim();
			this.#closed = resolve;
			const session = this.#session;
			this.#end(session, closeNormal, "disconnected", true);
			if (!session) resolve();
			else unref(setTimeout(resolve, 1000)); // a peer that does not answer
		});
		return this.#stopped;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.disconnect();
	}

	// The link

	#connect(): void {
		clearTimeout(this.#timer);
		if (this.#stopped) return;
		let socket: Socket;
		try {
			socket = new this.#WebSocket(this.#url);
		} catch (error) {
			this.#log("error", `cannot connect to ${this.#shown}: ${error}`);
			this.#change({ connected: false, error });
			this.#retry();
			return;
		}
		const session: Session = { socket, link: undefined, made: 0, lastSent: 0, lastHeard: 0, suspected: undefined, flushing: false };
		this.#session = session;
		socket.binaryType = "arraybuffer";
		let trouble = "";
		socket.onopen = () => this.#guard(session, () => this.#opened(session));
		socket.onmessage = ({ data }) => this.#guard(session, () => this.#received(session, data));
		socket.onerror = ({ message }) => (trouble ||= String(message ?? ""));
		socket.onclose = ({ code, reason, wasClean }) => {
			this.#end(session, undefined, reason || trouble || (code === 1005 || code === 1000 ? "closed by the peer" : "the connection was lost"), wasClean);
			if (this.#stopped) this.#closed?.();
		};
		this.#timer = setTimeout(() => this.#end(session, closeFault, `no connection within ${this.#handshakeTimeout} ms`, false), this.#handshakeTimeout);
	}

	/** Runs what a socket caused. Whatever goes wrong ends its link, with a reason, and never more. */
	#guard(session: Session, action: () => void): void {
		if (this.#session !== session) return; // its link has ended
		try {
			action();
		} catch (error) {
			this.#end(session, closeFault, String(error), false);
		}
	}

	#opened(session: Session): void {
		session.made = session.lastSent = session.lastHeard = now();
		const carrier = {
			ready: () => this.#flushSoon(session),
			ended: (error: ProtocolError) => this.#end(session, closeFault, `protocol error: ${error.message}`, false),
		};
		session.link = this.exchange.attach(carrier, (core) => core.attach(this.#name, this.#loadLimit));
		this.#pulse(session);
		this.#log("info", `connected to ${this.#shown}`);
		this.#change({ connected: true });
	}

	#received(session: Session, data: unknown): void {
		session.lastHeard = now();
		session.suspected = undefined;
		if (typeof data !== "string") this.exchange.step((core) => core.receive(session.link!, new Uint8Array(data as ArrayBuffer)));
		// Timers of a hidden page are slow, messages are not: whatever comes, the peer's keep-alives too, is a chance for ours.
		this.#keepAliveIfDue(session);
		if (this.#drain !== undefined) this.#flush(session);
	}

	/** Flushes once what the present task does is done, so that it goes out together, and as it is then. */
	#flushSoon(session: Session): void {
		if (session.flushing) return;
		session.flushing = true;
		queueMicrotask(() => {
			session.flushing = false;
			this.#guard(session, () => this.#flush(session));
		});
	}

	/** Sends what the link has, as far as the socket has room. */
	#flush(session: Session): void {
		clearTimeout(this.#drain);
		this.#drain = undefined;
		const { socket, link } = session;
		for (;;) {
			if (this.#session !== session || !link) return;
			if (socket.bufferedAmount > highWater) {
				this.#drain = setTimeout(() => this.#guard(session, () => this.#flush(session)), drainPause);
				return;
			}
			const { messages, drained } = this.exchange.step((core) => core.pull(link, pullBudget));
			for (const message of messages) this.#send(session, message);
			if (drained) return;
		}
	}

	#send(session: Session, data: string | Uint8Array<ArrayBuffer>): void {
		session.socket.send(data);
		session.lastSent = now();
	}

	#keepAliveIfDue(session: Session): void {
		if (session.link && now() - session.lastSent >= this.#keepAlive / 2) this.#send(session, ".");
	}

	/**
	 * Looks after a link's time: sends when it is time to, ends it when the peer was silent for too long. A hidden page's timers are up to
	 * a minute late: hence half the time between keep-alives. And a page that slept hears first that time has passed, and then what came
	 * meanwhile: hence a second look before the end.
	 */
	#pulse(session: Session): void {
		clearTimeout(this.#timer);
		this.#keepAliveIfDue(session);
		const grace = Math.min(this.#timeout / 10, 5000);
		let due = session.lastHeard + this.#timeout;
		if (now() >= due) {
			due = (session.suspected ??= now()) + grace;
			if (now() >= due) return this.#end(session, closeFault, `nothing came from the peer in ${this.#timeout} ms`, false);
		}
		const wait = Math.min(session.lastSent + this.#keepAlive / 2, due) - now();
		this.#timer = setTimeout(() => this.#guard(session, () => this.#pulse(session)), Math.max(wait, 1));
	}

	/** Something happened after which a link may be lost, or possible again. */
	readonly #wakeUp = (): void => {
		const session = this.#session;
		if (!session) this.#connect();
		else if (session.link) this.#guard(session, () => this.#pulse(session));
	};

	/** Ends a session, unless it has ended: its link at once, its socket in its own time. No code: the socket is gone. */
	#end(session: Session | undefined, code: number | undefined, reason: string, clean: boolean): void {
		if (this.#session !== session) return;
		this.#session = undefined;
		clearTimeout(this.#timer);
		clearTimeout(this.#drain);
		this.#drain = undefined;
		const stopped = this.#stopped !== undefined || this.#closed !== undefined;
		if (session) {
			this.#log(session.link || stopped ? "info" : "warn", `${session.link ? "disconnected from" : "cannot connect to"} ${this.#shown}: ${reason}`);
			if (code !== undefined) closeSocket(session.socket, code, reason);
			if (session.link && !this.exchange.dropped()) this.exchange.step((core) => core.detach(session.link!));
		}
		this.#change({ connected: false, disconnect_reason: reason, clean_disconnect: clean, ...(stopped && { stopped }) });
		if (stopped) return;
		if (session?.link && now() - session.made >= lived) {
			this.#delay = firstDelay;
			this.#timer = setTimeout(() => this.#connect(), 0);
		} else {
			this.#retry();
		}
	}

	#retry(): void {
		const delay = this.#delay * (0.75 + Math.random() / 2);
		this.#delay = Math.min(2 * this.#delay, greatestDelay);
		this.#timer = setTimeout(() => this.#connect(), delay);
	}

	#change(status: ConnectorStatus): void {
		const { resolve } = this.#next;
		this.#status = status;
		this.#next = promiseWithResolve();
		resolve([status, this.#next.promise]);
	}
}

/** Where a page is told that its links may be lost, or possible again. */
const wakeUps: [target: () => EventTarget | undefined, event: string][] = [
	[() => globalEvents(), "online"],
	[() => globalEvents(), "pageshow"],
	[() => globalThis.document as EventTarget | undefined, "visibilitychange"],
];

const globalEvents = (): EventTarget | undefined => ("addEventListener" in globalThis ? (globalThis as unknown as EventTarget) : undefined);

const now = (): number => performance.now();

function closeSocket(socket: Socket, code: number, reason: string): void {
	let text = reason;
	while (new TextEncoder().encode(text).length > 123) text = text.slice(0, -1);
	try {
		socket.close(code, text);
	} catch {
		socket.close(); // the text ends within a character
	}
}

function positive(value: number, what: string): number {
	if (!(value > 0 && value < 2 ** 31)) throw new TypeError(`${what}: ${value} ms, more than 0 and less than 2^31 were expected`);
	return value;
}

/** A timer that does not keep Node from ending. */
function unref(timer: ReturnType<typeof setTimeout>): void {
	if (typeof timer === "object") timer.unref();
}

function promiseWithResolve<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
	let resolve!: (value: T) => void;
	return { promise: new Promise<T>((r) => (resolve = r)), resolve };
}

const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];
let logLevel = -1;

function logToConsole(level: LogLevel, text: string): void {
	if (levels.indexOf(level) <= logLevel) console[level](`hakuban: ${text}`);
}

/**
 * The reference's preparation, of which nothing is left but the log level: the last argument, when it is one. There is no module to load.
 */
export async function initialize(...settings: unknown[]): Promise<void> {
	logLevel = levels.indexOf(settings.at(-1) as LogLevel);
}
