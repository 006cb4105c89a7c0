"""Waiting for what the library has not got yet: in a thread, or in an event loop."""

from __future__ import annotations

import asyncio
import select
import time
from typing import Callable, Generic, TypeVar

from . import _abi

T = TypeVar("T")


class Next(Generic[T]):
    """One wait for the next of something. It ends with a value, with None when there will be no more, or with its timeout."""

    def __init__(self, begin: Callable[[], "int | None"], make: Callable[[int], T]) -> None:
        self._future: int | None = _abi.not_null(begin())
        self._make = make

    def _poll(self) -> tuple[bool, T | None]:
        result = _abi.future_await_timeout(self._future, 0)
        if result.status == _abi.PENDING:
            return False, None
        self._future = None
        if result.status == _abi.END_OF_STREAM:
            return True, None
        if result.status == _abi.OK:  # it tells of something, and has nothing to give
            return True, self._make(0)
        return True, self._make(_abi.pointer_of(result))

    def _descriptor(self) -> int:
        descriptor: int = _abi.future_descriptor(self._future)
        if descriptor < 0:
            raise _abi.FailedError(_abi.last_error().decode("utf-8", "replace"))
        return descriptor

    def _drop(self) -> None:
        if self._future is not None:
            _abi.future_drop(self._future)  # what it had got comes again
            self._future = None

    def wait(self, timeout: float | None = None) -> T | None:
        """Blocks the thread; signals are handled meanwhile. Raises TimeoutError."""
        try:
            ready, value = self._poll()
            if ready:
                return value
            poller = select.poll()
            poller.register(self._descriptor(), select.POLLIN)
            deadline = None if timeout is None else time.monotonic() + timeout
            while True:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError("nothing came in time")
                poller.poll(None if left is None else left * 1000)
                ready, value = self._poll()
                if ready:
                    return value
        finally:
            self._drop()

    async def wait_async(self) -> T | None:
        """Suspends the task."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                ready, value = self._poll()
                if ready:
                    return value
                readable = asyncio.Event()
                descriptor = self._descriptor()
                loop.add_reader(descriptor, readable.set)
                try:
                    await readable.wait()
                finally:
                    loop.remove_reader(descriptor)
        finally:
            self._drop()
