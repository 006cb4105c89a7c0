import type { Socket } from "../src/connector.js";
import { type ChannelType, decodeEvent, encodeEvent, type Message, type WireEvent } from "../src/wire/event.js";
import { defaultLimits } from "../src/wire/limits.js";

/** A websocket whose peer is the test. */
export class FakeSocket implements Socket {
	/** All that were made, oldest first. */
	static made: FakeSocket[] = [];

	static get last(): FakeSocket {
		return FakeSocket.made.at(-1)!;
	}

	binaryType = "";
	readyState = 0;
	bufferedAmount = 0;
	onopen: ((event: any) => void) | null = null;
	onmessage: ((event: any) => void) | null = null;
	onerror: ((event: any) => void) | null = null;
	onclose: ((event: any) => void) | null = null;
	/** What was sent and not yet looked at: "." for a keep-alive. */
	sent: (WireEvent | string)[] = [];
	closed: { code: number | undefined; reason: string | undefined } | undefined;
	readonly url: string;
	#lastNumber = 0n;

	constructor(url: string) {
		this.url = url;
		FakeSocket.made.push(this);
	}

	send(data: string | Uint8Array): void {
		this.sent.push(typeof data === "string" ? data : decodeEvent(data, defaultLimits));
	}

	close(code?: number, reason?: string): void {
		this.closed = { code, reason };
	}

	/** The connection is made. */
	open(): this {
		this.readyState = 1;
		this.onopen?.({});
		return this;
	}

	/** The connection is lost, or closed by the peer. */
	lose(code = 1006, reason = ""): void {
		this.readyState = 3;
		this.onclose?.({ code, reason, wasClean: code !== 1006 });
	}

	text(text = "."): void {
		this.onmessage?.({ data: text });
	}

	binary(bytes: Uint8Array): void {
		this.onmessage?.({ data: bytes.slice().buffer });
	}

	event(event: WireEvent): void {
		this.binary(encodeEvent(event));
	}

	/** The peer opens a channel, and returns how to say something on it. */
	channel(type: ChannelType): { number: bigint; say(message: Message): void; close(): void } {
		const channel = { origin: "upstream", number: ++this.#lastNumber } as const;
		const say = (message: Message): void => this.event({ kind: "message", channel, message });
		this.event({ kind: "open", channel });
		say({ kind: "uninitialized", types: [type] });
		return { number: channel.number, say, close: () => this.event({ kind: "close", channel }) };
	}

	/** What was sent since the last look. */
	take(): (WireEvent | string)[] {
		return this.sent.splice(0);
	}
}
