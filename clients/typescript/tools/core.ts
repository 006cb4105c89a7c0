// Steps the core through inputs that the Go test tests/typescript gives, one run in each line of stdin, and answers with all effects of
// each step, one run in each line of stdout. The test gives the same inputs to the Go core.
import { createInterface } from "node:readline";
import { Core, type Effect } from "../src/core/core.js";
import type { Link } from "../src/core/link.js";
import type { Contract, Offer } from "../src/core/object.js";
import type { Flag } from "../src/core/state.js";
import { makeDescriptor } from "../src/wire/descriptor.js";
import { decodeEvent, encodeEvent } from "../src/wire/event.js";
import { canonical } from "../src/wire/json.js";
import { defaultLimits } from "../src/wire/limits.js";

/** One input. Integers that a number may not hold are texts. */
interface Input {
	do: string;
	micros: string;
	wall: string;
	number: number; // of a contract, or of an offer in the order they were taken
	does: "observe" | "expose";
	on: "object" | "tag";
	tags: string[];
	json: string;
	capacity: number;
	budget: number;
	data: string; // base64
	version: string[];
	format: string[];
	flag: string; // "now" or microseconds
}

function run(inputs: Input[]): string[][] {
	let input = inputs[0]!;
	let effects: string[] = [];
	const contracts = new Map<number, Contract>();
	const offers = new Map<number, Offer>();
	const numberOf = <T>(all: Map<number, T>, value: T): number => [...all].find(([, other]) => other === value)![0];
	let link: Link | undefined;
	const tell = (effect: Effect): void => {
		switch (effect.kind) {
			case "offered":
				if (![...contracts.values()].includes(effect.contract)) contracts.set(input.number, effect.contract);
				effects.push(`offered ${numberOf(contracts, effect.contract)}`);
				break;
			case "revoked":
				effects.push(`revoked ${numberOf(offers, effect.offer)}`);
				break;
			case "changed":
				if (![...offers.values()].includes(effect.offer)) offers.set(offers.size + 1, effect.offer);
				effects.push(`changed ${numberOf(offers, effect.offer)}`);
				break;
			case "ended":
				link = undefined;
				effects.push("ended");
				break;
			default:
				effects.push("ready");
		}
	};
	const core = new Core(defaultLimits, { micros: () => BigInt(input.micros), wallNanos: () => BigInt(input.wall) }, tell);
	const flagText = (flag: Flag): string => `${flag}`;
	const steps: Record<string, () => void> = {
		attach: () => (link = core.attach("leaf", [])),
		detach: () => {
			core.detach(link!);
			link = undefined;
		},
		receive: () => core.receive(link!, new Uint8Array(Buffer.from(input.data, "base64"))),
		pull: () => {
			const { messages, drained } = core.pull(link!, input.budget);
			for (const message of messages) effects.push(`write ${Buffer.from(message).toString("base64")}`);
			if (drained) effects.push("drained");
		},
		open: () => {
			const { does, on, tags, json, capacity } = input;
			contracts.set(input.number, core.open({ does, on }, makeDescriptor(tags, json, defaultLimits, false), does === "expose" ? capacity : 0));
		},
		close: () => core.close(contracts.get(input.number)!),
		"set capacity": () => core.setCapacity(contracts.get(input.number)!, input.capacity),
		take: () => {
			const contract = contracts.get(input.number)!;
			const offer = core.take(contract);
			if (offer && ![...offers.values()].includes(offer)) offers.set(offers.size + 1, offer);
			effects.unshift(offer ? `taken ${numberOf(offers, offer)} ${offer.descriptor.key}` : "taken nothing");
		},
		release: () => core.release(offers.get(input.number)!),
		publish: () => {
			const state = { version: input.version.map(BigInt), format: input.format, data: new Uint8Array(Buffer.from(input.data, "base64")) };
			const flag = input.flag === "now" ? "now" : BigInt(input.flag);
			const taken = core.publish(offers.get(input.number)!, state, flag);
			const kept = flag === "now" || flag <= core.now ? flag : core.now;
			effects.push(`state [${taken.version}] ${JSON.stringify(taken.format)} ${Buffer.from(taken.data).toString("base64")} ${flagText(kept)}`);
		},
		read: () => {
			const { state, flag } = core.read(offers.get(input.number)!);
			const text = state ? `[${state.version}] ${JSON.stringify(state.format)} ${Buffer.from(state.data).toString("base64")}` : "none";
			effects.push(`state ${text} ${flagText(flag)}`);
		},
		decode: () => {
			const event = decodeEvent(new Uint8Array(Buffer.from(input.data, "base64")), defaultLimits);
			effects.push(`decoded ${Buffer.from(encodeEvent(event)).toString("base64")}`);
		},
		canonical: () => {
			for (const strict of [false, true]) {
				const { spelling, identity } = canonical(Buffer.from(input.data, "base64").toString(), defaultLimits.descriptor, strict);
				effects.push(`canonical ${spelling} ${identity}`);
			}
		},
	};
	return inputs.map((next) => {
		input = next;
		effects = [];
		try {
			steps[input.do]!();
		} catch (error) {
			effects.push(`refused ${error instanceof Error ? error.name : error}`);
		}
		return effects;
	});
}

createInterface({ input: process.stdin })
	.on("line", (line) => process.stdout.write(`${JSON.stringify(run(JSON.parse(line)))}\n`))
	.on("close", () => process.exit(0));
