/**
 * What a peer, or a caller, can make this end hold. Every bound is inclusive, and exceeding one is the peer's fault: its link ends.
 * They are those of the Go implementation; docs/protocol.md has the table.
 */
export interface Limits {
	/** Bytes of one event. */
	message: number;
	/** Bytes of one state's data. */
	state: number;
	/** Bytes of one JSON text as received, and of an object's json and tags together as spelled. */
	descriptor: number;
	/** Tags of one object. */
	tags: number;
	/** Elements of a version. */
	version: number;
	/** Names in a format. */
	formats: number;
	/** Bytes of one name in a format. */
	format: number;
	/** Bytes of a link's name. */
	name: number;
	/** Points of a load limit. */
	loadPoints: number;
	/** Actions of one control message. */
	actions: number;
	/** Actions of one state message. */
	states: number;
	/** Elements of all lists of one message. */
	elements: number;
	/** Objects and tags that upstream is asked for; upstream may have twice as many channels open. */
	linkObjects: number;
	/** Bytes that upstream may make this end hold: what it named, and the last states of its streams. */
	linkBytes: number;
}

export const defaultLimits: Readonly<Limits> = {
	message: 64 * 2 ** 20,
	state: 64 * 2 ** 20,
	descriptor: 2 ** 20,
	tags: 2 ** 10,
	version: 2 ** 10,
	formats: 2 ** 8,
	format: 2 ** 16,
	name: 2 ** 16,
	loadPoints: 2 ** 12,
	actions: 2 ** 20,
	states: 2 ** 10,
	elements: 2 ** 22,
	linkObjects: 2 ** 20,
	linkBytes: 2 ** 30,
};
