// Time that passes when a test says so.

interface Timer {
	due: number;
	action: () => void;
}

/** Replaces the clock and the timers of this process until it is restored. */
export class Time {
	#now = 1000;
	#timers = new Map<number, Timer>();
	#lastTimer = 0;
	readonly #restore: () => void;

	constructor() {
		const { setTimeout, clearTimeout } = globalThis;
		const own = Object.getOwnPropertyDescriptor(performance, "now");
		this.#restore = () => {
			Object.assign(globalThis, { setTimeout, clearTimeout });
			if (own) Object.defineProperty(performance, "now", own);
			else delete (performance as any).now;
		};
		Object.defineProperty(performance, "now", { value: () => this.#now, configurable: true });
		Object.assign(globalThis, {
			setTimeout: (action: () => void, delay = 0) => {
				this.#timers.set(++this.#lastTimer, { due: this.#now + delay, action });
				return this.#lastTimer;
			},
			clearTimeout: (timer: number | undefined) => this.#timers.delete(timer ?? 0),
		});
	}

	restore(): void {
		this.#restore();
	}

	/** Lets time pass, and runs the timers that become due, each at its time, and what follows from each. */
	async pass(milliseconds: number): Promise<void> {
		const end = this.#now + milliseconds;
		for (;;) {
			await settled();
			const [id, timer] = [...this.#timers].filter(([, { due }]) => due <= end).sort(([, a], [, b]) => a.due - b.due)[0] ?? [];
			if (id === undefined) break;
			this.#timers.delete(id);
			this.#now = Math.max(this.#now, timer!.due);
			timer!.action();
		}
		this.#now = end;
		await settled();
	}

	/** Lets time pass without running a timer, as in a page that is hidden or asleep. */
	sleep(milliseconds: number): void {
		this.#now += milliseconds;
	}
}

/** Waits until all that can go on without time has. */
export async function settled(): Promise<void> {
	for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
}
