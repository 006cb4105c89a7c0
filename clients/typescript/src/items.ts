/** What is given back when its user is done with it. */
export interface Droppable {
	drop(): Promise<void>;
}

/** How long to wait: until the signal aborts, with whose reason the waiting then fails. */
export interface WaitOptions {
	signal?: AbortSignal | undefined;
}

/** Runs a block with something, and drops it when the block's promise ends. */
export async function dropAfter<T extends Droppable, R>(item: T, block: (item: T) => R): Promise<Awaited<R>> {
	try {
		return await block(item);
	} finally {
		await item.drop();
	}
}

/**
 * A stream of items that come one by one: an asynchronous iterable. Leaving a loop over it drops it; what it gave is dropped by whoever
 * took it, which `forEach` and `forEachConcurrent` do by themselves, and `for await (await using item of items)`.
 */
export abstract class Items<T extends Droppable> implements Droppable, AsyncIterable<T> {
	#waiting: (() => void)[] = [];
	#dropped = false;

	/** The next item; undefined: none yet; null: there will be none. */
	protected abstract poll(): T | null | undefined;

	/** Gives back what the stream is of. Called once. */
	protected abstract release(): void;

	/** Wakes those who wait for an item, to poll again. */
	protected wake(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const resume of waiting) resume();
	}

	/** Waits for the next item; null: the stream has ended. With a block, the item is passed to it, and dropped when its promise ends. */
	next<R>(block: (item: T) => R): Promise<Awaited<R> | null>;
	next(options?: WaitOptions): Promise<T | null>;
	async next<R>(how: ((item: T) => R) | WaitOptions = {}): Promise<unknown> {
		const signal = typeof how === "function" ? undefined : how.signal;
		for (;;) {
			signal?.throwIfAborted();
			const item = this.#dropped ? null : this.poll();
			if (item === undefined) await this.#wait(signal);
			else return item && typeof how === "function" ? dropAfter(item, how) : item;
		}
	}

	/** Runs a block with each item, one after the other, and drops each when the block's promise ends. */
	async forEach(block: (item: T) => unknown): Promise<void> {
		for await (const item of this) await dropAfter(item, block);
	}

	/** Runs a block with each item as it comes, and drops each when its block's promise ends. The first failure drops the stream. */
	async forEachConcurrent(block: (item: T) => unknown): Promise<void> {
		const running = new Set<Promise<void>>();
		const failures: unknown[] = [];
		for await (const item of this) {
			const task = dropAfter(item, block)
				.then(() => {}, (error: unknown) => {
					failures.push(error);
					return this.drop();
				})
				.finally(() => running.delete(task));
			running.add(task);
		}
		await Promise.all(running);
		if (failures.length > 0) throw failures[0];
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
		try {
			for (let item = await this.next(); item !== null; item = await this.next()) yield item;
		} finally {
			await this.drop();
		}
	}

	/** Ends the stream. Dropping again does nothing. */
	async drop(): Promise<void> {
		if (this.#dropped) return;
		this.#dropped = true;
		this.release();
		this.wake();
	}

	/** Whether the stream was dropped. */
	dropped(): boolean {
		return this.#dropped;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.drop();
	}

	// The reference's names.

	for_each(block: (item: T) => unknown): Promise<void> {
		return this.forEach(block);
	}

	for_each_concurrent(block: (item: T) => unknown): Promise<void> {
		return this.forEachConcurrent(block);
	}

	#wait(signal: AbortSignal | undefined): Promise<void> {
		return new Promise((resolve) => {
			const resume = (): void => {
				signal?.removeEventListener("abort", resume);
				resolve();
			};
			signal?.addEventListener("abort", resume);
			this.#waiting.push(resume);
		});
	}
}
