"""Live data objects shared between processes.

An Object is named by a JSON value and tags. Who can produce it opens an expose contract on an Exchange, who wants to see it an
observe contract; for each object that somebody observes, one exposer is elected and given a Sink, and every observer has a Stream.
"""

from ._abi import (
    ClosedError,
    FailedError,
    ForkedError,
    HakubanError,
    HasUpstreamError,
    InvalidNameError,
    InvalidTextError,
    InvalidURLError,
    RevokedError,
    StaleError,
    TooLargeError,
)
from ._exchange import Connector, Exchange, ExposeContract, Listener, ObserveContract, Sink, Stream
from ._log import log
from ._names import Object, Tag
from ._state import State

__all__ = [
    "ClosedError",
    "Connector",
    "Exchange",
    "ExposeContract",
    "FailedError",
    "ForkedError",
    "HakubanError",
    "HasUpstreamError",
    "InvalidNameError",
    "InvalidTextError",
    "InvalidURLError",
    "Listener",
    "Object",
    "ObserveContract",
    "RevokedError",
    "Sink",
    "StaleError",
    "State",
    "Stream",
    "Tag",
    "TooLargeError",
    "log",
]
