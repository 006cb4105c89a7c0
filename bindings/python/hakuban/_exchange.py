"""Exchanges, contracts, sinks and streams."""

from __future__ import annotations

import threading
import weakref
from ctypes import byref, string_at
from typing import Any, AsyncIterator, Callable, Generic, Iterator, TypeVar, Union

from . import _abi
from ._future import Next
from ._names import Object, Tag
from ._state import State

T = TypeVar("T")
Self = TypeVar("Self", bound="_Handle")
Name = Union[Object, Tag]


class _Handle:
    """What has a handle in the library, and ends with `close`, its with block, or the last reference to it."""

    def __init__(self, handle: int, drop: Callable[[int], None]) -> None:
        self._handle = handle
        self._finalizer = weakref.finalize(self, drop, handle)
        self._finalizer.atexit = False  # type: ignore[misc]  # the process ends it all; typeshed takes it for read-only

    def close(self) -> None:
        """Ends it. Closing again does nothing."""
        self._finalizer()

    @property
    def closed(self) -> bool:
        return not self._finalizer.alive

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *reason: object) -> None:
        self.close()


class Stream(_Handle):
    """Shows one object to one observer: the newest state, whenever it, or how current it is, changes.

    Iterate over it with `for` (which blocks the thread) or `async for`, until the object is gone.
    """

    def __init__(self, handle: int) -> None:
        super().__init__(handle, _abi.stream_drop)
        #: The object that is seen.
        self.object = Object._from_handle(_abi.not_null(_abi.stream_descriptor(handle)))

    def _next(self) -> Next[State]:
        return Next(lambda: _abi.stream_next(self._handle), State._from_handle)

    def next(self, timeout: float | None = None) -> State | None:
        """Blocks until there is a state that was not seen yet; None when the stream has ended. Raises TimeoutError."""
        return None if self.closed else self._next().wait(timeout)

    async def next_async(self) -> State | None:
        return None if self.closed else await self._next().wait_async()

    def __iter__(self) -> Iterator[State]:
        return iter(self.next, None)

    async def __aiter__(self) -> AsyncIterator[State]:
        while (state := await self.next_async()) is not None:
            yield state


class Sink(_Handle):
    """Takes the states of one object from its elected exposer."""

    def __init__(self, handle: int) -> None:
        super().__init__(handle, _abi.sink_drop)
        #: The object that is to be produced.
        self.object = Object._from_handle(_abi.not_null(_abi.sink_descriptor(handle)))
        self._ended: bool = False

    def send(self, state: State) -> None:
        """Makes a state the newest one of the object. Does not block. Raises RevokedError and StaleError."""
        handle = state._handle()
        try:
            _abi.check(_abi.sink_send(self._handle, handle))
        finally:
            _abi.state_drop(handle)

    def send_json(self, value: Any) -> None:
        """Sends a value as JSON, with a version from the clock."""
        self.send(State.from_json(value))

    def _next(self) -> Next[bool]:
        def open_still(params: int) -> bool:
            _abi.sink_params_drop(params)
            return True

        return Next(lambda: _abi.sink_next(self._handle), open_still)

    def wait_ended(self, timeout: float | None = None) -> None:
        """Blocks until the sink has ended. Raises TimeoutError."""
        while not self.closed and self._next().wait(timeout):
            pass

    async def ended(self) -> None:
        """Waits until the sink has ended."""
        while not self.closed and await self._next().wait_async():
            pass


class _Contract(_Handle, Generic[T]):
    """What observe and expose contracts have in common: they give one stream or sink after another."""

    def __init__(self, handle: int, drop: Callable[[int], None], next_: Callable[[int], "int | None"], make: Callable[[int], T]) -> None:
        super().__init__(handle, drop)
        self._begin, self._make = next_, make

    def _next(self) -> Next[T]:
        return Next(lambda: self._begin(self._handle), self._give)

    def _give(self, handle: int) -> T:
        given = self._make(handle)
        given._contract = self  # type: ignore[attr-defined]  # which lasts as long
        return given

    def next(self, timeout: float | None = None) -> T | None:
        """Blocks until there is another; None when the contract has ended. Raises TimeoutError. Close what is returned."""
        return None if self.closed else self._next().wait(timeout)

    async def next_async(self) -> T | None:
        return None if self.closed else await self._next().wait_async()

    def __iter__(self) -> Iterator[T]:
        """Each is closed when the loop goes on."""
        while (given := self.next()) is not None:
            with given:  # type: ignore[attr-defined]
                yield given

    async def __aiter__(self) -> AsyncIterator[T]:
        """Each is closed when the loop goes on."""
        while (given := await self.next_async()) is not None:
            with given:  # type: ignore[attr-defined]
                yield given


class ObserveContract(_Contract[Stream]):
    """Says that this process wants to see an object, or every object with a tag. Gives a Stream for each."""


class ExposeContract(_Contract[Sink]):
    """Says that this process can produce an object, or every object with a tag. Gives a Sink for each that somebody observes."""

    def __init__(self, handle: int, name: Name) -> None:
        if isinstance(name, Tag):
            super().__init__(handle, _abi.tag_expose_drop, _abi.tag_expose_next, Sink)
            self._set_capacity = _abi.tag_expose_set_capacity
        else:
            super().__init__(handle, _abi.object_expose_drop, _abi.object_expose_next, Sink)
            self._set_capacity = _abi.object_expose_set_capacity

    def set_capacity(self, capacity: int) -> None:
        """Changes how many objects the contract can produce at a time, for the elections to come."""
        _abi.check(self._set_capacity(self._handle, capacity))


class _Link(_Handle):
    """A connector or a listener, which lasts until it or its exchange is closed, whether anything refers to it or not."""

    def __init__(self, handle: int, drop: Callable[[int], None], exchange: "Exchange") -> None:
        super().__init__(handle, drop)
        self._exchange = exchange
        exchange._links.add(self)

    def close(self) -> None:
        super().close()
        self._exchange._links.discard(self)


class Connector(_Link):
    """Keeps an exchange linked to its upstream until it, or the exchange, is closed. Closing blocks until the link is gone.

    Iterate over it with `for` (which blocks the thread) or `async for` to be told whenever a link is made or lost.
    """

    def __init__(self, handle: int, exchange: "Exchange") -> None:
        super().__init__(handle, _abi.connector_drop, exchange)
        self._told = 0  # the number of the link that next told of; 0: none

    def _link(self) -> int:
        state = _abi.LinkState()
        _abi.check(_abi.connector_state(self._handle, byref(state)))
        return int(state.link)

    @property
    def connected(self) -> bool:
        """Whether there is a link at the moment."""
        return self._link() != 0

    def _tell(self, _nothing: int) -> bool:
        self._told = self._link()
        return self._told != 0

    def _next(self) -> Next[bool]:
        return Next(lambda: _abi.connector_changed(self._handle, self._told), self._tell)

    def next(self, timeout: float | None = None) -> bool | None:
        """Blocks until a link was made or lost since the last time, at first until one is made. Returns whether there is one now;
        None when there will be no more. Raises TimeoutError. For one thread or task at a time."""
        return None if self.closed else self._next().wait(timeout)

    async def next_async(self) -> bool | None:
        return None if self.closed else await self._next().wait_async()

    def __iter__(self) -> Iterator[bool]:
        return iter(self.next, None)

    async def __aiter__(self) -> AsyncIterator[bool]:
        while (connected := await self.next_async()) is not None:
            yield connected

    @property
    def upstream_name(self) -> str:
        """The name the upstream has given itself; empty while there is no link."""
        name = _abi.connector_upstream_name(self._handle)
        try:
            return string_at(name.pointer, name.length).decode("utf-8") if name.length else ""
        finally:
            _abi.array_drop(name)


class Listener(_Link):
    """Takes links from downstream exchanges until it, or its exchange, is closed. Closing blocks until they are gone."""

    def __init__(self, handle: int, exchange: "Exchange") -> None:
        super().__init__(handle, _abi.listener_drop, exchange)
        #: The URL with the real port.
        self.url: str = _abi.listener_url(handle).decode("utf-8")


_runtime_lock = threading.Lock()
_runtime_handle: int | None = None


def _runtime() -> int:
    global _runtime_handle
    with _runtime_lock:
        if _runtime_handle is None:
            _runtime_handle = _abi.not_null(_abi.runtime_new(0))
        return _runtime_handle


def _end_exchange(handle: int) -> None:
    _abi.exchange_close(handle)
    _abi.exchange_drop(handle)


class Exchange(_Handle):
    """Shares objects between the contracts of this process and, over links, with other processes.

    Closing it ends its contracts, sinks, streams and links. Every method can be called from any thread.
    """

    def __init__(self) -> None:
        super().__init__(_abi.pointer_of(_abi.exchange_new()), _end_exchange)
        self._links: set[_Link] = set()

    def connect(self, url: str) -> Connector:
        """Begins to link the exchange to an upstream such as ws://127.0.0.1:3001, and returns at once. It tries until closed."""
        return Connector(_abi.pointer_of(_abi.connector_new(_runtime(), self._handle, _url(url))), self)

    def listen(self, url: str) -> Listener:
        """Takes links from downstream at a URL such as ws://127.0.0.1:3001; port 0 stands for any free one."""
        return Listener(_abi.pointer_of(_abi.listener_new(_runtime(), self._handle, _url(url))), self)

    def observe(self, name: Name) -> ObserveContract:
        """Opens a contract to observe an Object, or every object with a Tag."""
        named = name._handle()
        if isinstance(name, Tag):
            try:
                handle = _abi.not_null(_abi.tag_observe_new(self._handle, named))
            finally:
                _abi.tag_drop(named)
            contract = ObserveContract(handle, _abi.tag_observe_drop, _abi.tag_observe_next, Stream)
        else:
            try:
                handle = _abi.not_null(_abi.object_observe_new(self._handle, named))
            finally:
                _abi.object_drop(named)
            contract = ObserveContract(handle, _abi.object_observe_drop, _abi.object_observe_next, Stream)
        return self._keeping(contract)

    def expose(self, name: Name, capacity: int = 1) -> ExposeContract:
        """Opens a contract to produce an Object, or every object with a Tag, `capacity` of them at a time."""
        named = name._handle()
        if isinstance(name, Tag):
            try:
                handle = _abi.not_null(_abi.tag_expose_new(self._handle, named, capacity))
            finally:
                _abi.tag_drop(named)
        else:
            try:
                handle = _abi.not_null(_abi.object_expose_new(self._handle, named, capacity))
            finally:
                _abi.object_drop(named)
        return self._keeping(ExposeContract(handle, name))

    def _keeping(self, contract: T) -> T:
        contract._exchange = self  # type: ignore[attr-defined]  # which lasts as long
        return contract


def _url(url: str) -> bytes:
    if "\x00" in url:
        raise _abi.InvalidURLError("a NUL character")
    return url.encode("utf-8", "surrogateescape")
