// Hakuban: shared live state over a tree of websocket links. An exchange at a leaf of the tree, for browsers and Node.
export { type ConnectorOptions, type ConnectorStatus, initialize, type LogLevel, type Socket, type StatusAndNext, WebsocketConnector } from "./connector.js";
export { Contract, ExposeContract, ObserveContract } from "./contract.js";
export { type JSONValue, ObjectDescriptor, TagDescriptor } from "./descriptor.js";
export { ClosedError, FormatError, ProtocolError, RevokedError, StaleError, TooLargeError } from "./errors.js";
export { type ContractOptions, Exchange, type ExchangeOptions, type ExposeOptions, type ObjectOrTags } from "./exchange.js";
export { type Droppable, Items, type WaitOptions } from "./items.js";
export { ObjectState } from "./object-state.js";
export { ObjectStateSink, ObjectStateSinkParams, ObjectStateStream } from "./offers.js";
export { DecodeError } from "./wire/bytes.js";
export type { LoadPoint } from "./wire/event.js";
export { defaultLimits, type Limits } from "./wire/limits.js";

// The reference's names of the contracts.
export { ExposeContract as ObjectExposeContract, ExposeContract as TagExposeContract, ObserveContract as ObjectObserveContract, ObserveContract as TagObserveContract } from "./contract.js";
