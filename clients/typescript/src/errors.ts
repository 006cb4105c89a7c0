/** The exchange, contract or connector was closed. */
export class ClosedError extends Error {
	override readonly name = "ClosedError";
}

/** The sink or stream has ended: another exposer was elected, nobody needs the object any more, or it was dropped. */
export class RevokedError extends Error {
	override readonly name = "RevokedError";
}

/** The state sent has a version that is not greater than the one this exchange holds. Nothing was changed. */
export class StaleError extends Error {
	override readonly name = "StaleError";
}

/** What was asked for exceeds one of the limits. */
export class TooLargeError extends Error {
	override readonly name = "TooLargeError";
}

/** A state is not in the format that was asked for. */
export class FormatError extends Error {
	override readonly name = "FormatError";
}

/** The peer's fault: it sent what the protocol does not allow. It ends the link. */
export class ProtocolError extends Error {
	override readonly name = "ProtocolError";
}
