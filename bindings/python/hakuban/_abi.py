"""The C interface of libhakuban, as hakuban.h documents it, and the errors that its statuses become."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

OK, POINTER_STATUS, PENDING, END_OF_STREAM = 0, 1, 2, 3


class HakubanError(Exception):
    """Something the library refused. `status` is its number in hakuban.h."""

    status = 0


class InvalidTextError(HakubanError, ValueError):
    """A text is not UTF-8."""


class InvalidNameError(HakubanError, ValueError):
    """A value does not name an object or a tag."""


class InvalidURLError(HakubanError, ValueError):
    """A URL, or one of the parameters in its fragment, is none that can be used."""


class ForkedError(HakubanError):
    """The process is a fork of one that had loaded the library. Use the start method "spawn"."""


class ClosedError(HakubanError):
    """The exchange, or what was used, was closed."""


class RevokedError(HakubanError):
    """The sink has ended: another exposer was elected, or nobody observes the object."""


class StaleError(HakubanError):
    """The state's version is not greater than that of the newest state known."""


class TooLargeError(HakubanError):
    """A limit was exceeded."""


class HasUpstreamError(HakubanError):
    """The exchange has a connector already."""


class FailedError(HakubanError, OSError):
    """The system refused, for example to listen on an address."""


_ERRORS: dict[int, type[HakubanError]] = {
    3: RevokedError,
    4: InvalidTextError,
    5: InvalidNameError,
    6: InvalidURLError,
    64: ClosedError,
    66: ForkedError,
    68: ClosedError,
    69: StaleError,
    70: TooLargeError,
    71: HasUpstreamError,
    72: FailedError,
}


class Result(Structure):
    _fields_ = [("status", c_uint8), ("pointer", c_void_p)]


class Array(Structure):
    _fields_ = [("length", c_size_t), ("pointer", c_void_p)]


class LinkState(Structure):
    _fields_ = [("connected", c_uint8), ("link", c_uint64)]


LOG_CALLBACK = ctypes.CFUNCTYPE(None, c_void_p, c_uint8, c_char_p)


def _load() -> ctypes.CDLL:
    beside = Path(__file__).with_name("libhakuban.so")
    return ctypes.CDLL(os.environ.get("HAKUBAN_LIBRARY") or (str(beside) if beside.exists() else "libhakuban.so"))


_library = _load()


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_library, name)
    function.restype, function.argtypes = result, arguments
    return function


abi_version = _declare("hakuban_go_abi_version", c_uint32)
last_error = _declare("hakuban_go_last_error", c_char_p)
array_drop = _declare("hakuban_array_drop", None, Array)

future_await_timeout = _declare("hakuban_go_future_await_timeout", Result, c_void_p, c_uint64)
future_descriptor = _declare("hakuban_go_future_descriptor", c_int, c_void_p)
future_drop = _declare("hakuban_future_drop", None, c_void_p)

exchange_new = _declare("hakuban_exchange_new", Result)
exchange_close = _declare("hakuban_go_exchange_close", c_uint8, c_void_p)
exchange_drop = _declare("hakuban_exchange_drop", None, c_void_p)

runtime_new = _declare("hakuban_tokio_init_multi_thread", c_void_p, c_size_t)
connector_new = _declare("hakuban_tokio_websocket_connector_new", Result, c_void_p, c_void_p, c_char_p)
connector_state = _declare("hakuban_go_websocket_connector_state", c_uint8, c_void_p, POINTER(LinkState))
connector_changed = _declare("hakuban_go_websocket_connector_changed", c_void_p, c_void_p, c_uint64)
connector_upstream_name = _declare("hakuban_go_websocket_connector_upstream_name", Array, c_void_p)
connector_drop = _declare("hakuban_tokio_websocket_connector_drop", None, c_void_p)
listener_new = _declare("hakuban_go_websocket_listener_new", Result, c_void_p, c_void_p, c_char_p)
listener_url = _declare("hakuban_go_websocket_listener_url", c_char_p, c_void_p)
listener_drop = _declare("hakuban_go_websocket_listener_drop", None, c_void_p)

tag_new = _declare("hakuban_tag_descriptor_new", Result, c_char_p)
tag_json = _declare("hakuban_tag_descriptor_json", c_char_p, c_void_p)
tag_drop = _declare("hakuban_tag_descriptor_drop", None, c_void_p)
object_new = _declare("hakuban_object_descriptor_new", Result, c_char_p, c_size_t, POINTER(c_void_p))
object_json = _declare("hakuban_object_descriptor_json", c_char_p, c_void_p)
object_tags = _declare("hakuban_object_descriptor_tags", Array, c_void_p)
object_drop = _declare("hakuban_object_descriptor_drop", None, c_void_p)

object_observe_new = _declare("hakuban_object_observe_contract_new", c_void_p, c_void_p, c_void_p)
object_observe_next = _declare("hakuban_object_observe_contract_next", c_void_p, c_void_p)
object_observe_drop = _declare("hakuban_object_observe_contract_drop", None, c_void_p)
tag_observe_new = _declare("hakuban_tag_observe_contract_new", c_void_p, c_void_p, c_void_p)
tag_observe_next = _declare("hakuban_tag_observe_contract_next", c_void_p, c_void_p)
tag_observe_drop = _declare("hakuban_tag_observe_contract_drop", None, c_void_p)
object_expose_new = _declare("hakuban_object_expose_contract_new", c_void_p, c_void_p, c_void_p, c_uint32)
object_expose_next = _declare("hakuban_object_expose_contract_next", c_void_p, c_void_p)
object_expose_drop = _declare("hakuban_object_expose_contract_drop", None, c_void_p)
object_expose_set_capacity = _declare("hakuban_go_object_expose_contract_set_capacity", c_uint8, c_void_p, c_uint32)
tag_expose_new = _declare("hakuban_tag_expose_contract_new", c_void_p, c_void_p, c_void_p, c_uint32)
tag_expose_next = _declare("hakuban_tag_expose_contract_next", c_void_p, c_void_p)
tag_expose_drop = _declare("hakuban_tag_expose_contract_drop", None, c_void_p)
tag_expose_set_capacity = _declare("hakuban_go_tag_expose_contract_set_capacity", c_uint8, c_void_p, c_uint32)

stream_next = _declare("hakuban_object_state_stream_next", c_void_p, c_void_p)
stream_descriptor = _declare("hakuban_object_state_stream_descriptor", c_void_p, c_void_p)
stream_drop = _declare("hakuban_object_state_stream_drop", None, c_void_p)
sink_next = _declare("hakuban_object_state_sink_next", c_void_p, c_void_p)
sink_send = _declare("hakuban_go_object_state_sink_send", c_uint8, c_void_p, c_void_p)
sink_descriptor = _declare("hakuban_object_state_sink_descriptor", c_void_p, c_void_p)
sink_drop = _declare("hakuban_object_state_sink_drop", None, c_void_p)
sink_params_drop = _declare("hakuban_object_state_sink_params_drop", None, c_void_p)

state_new = _declare(
    "hakuban_object_state_new",
    Result, c_size_t, POINTER(c_int64), c_size_t, POINTER(c_char_p), c_size_t, c_char_p, c_uint64,
)
state_data = _declare("hakuban_object_state_data", Array, c_void_p)
state_format = _declare("hakuban_object_state_format", Array, c_void_p)
state_version = _declare("hakuban_object_state_version", Array, c_void_p)
state_synchronized_ago = _declare("hakuban_object_state_synchronized_ago", c_uint64, c_void_p)
state_drop = _declare("hakuban_object_state_drop", None, c_void_p)

log_to = _declare("hakuban_go_log_to", c_uint8, c_uint8, LOG_CALLBACK, c_void_p)

if abi_version() < 2:
    raise ImportError("libhakuban is older than this package")


def error(status: int) -> HakubanError:
    """The error of a status, with the library's words."""
    text = last_error().decode("utf-8", "replace") if status != END_OF_STREAM else "it has ended"
    failed = _ERRORS.get(status, HakubanError)(text)
    failed.status = status
    return failed


def check(status: int) -> None:
    """Raises the error of a status that is one."""
    if status != OK:
        raise error(status)


def pointer_of(result: Result) -> int:
    """The handle of a result that must have one."""
    if result.status != POINTER_STATUS:
        raise error(result.status)
    return int(result.pointer)


def not_null(pointer: int | None) -> int:
    """A handle that a function returns alone."""
    if pointer is None:
        text = last_error().decode("utf-8", "replace")
        raise (ForkedError if "forked" in text else ClosedError)(text)
    return pointer


def elements(array: Array, kind: Any) -> list[Any]:
    """Copies an array of C."""
    if not array.length:
        return []
    return list(ctypes.cast(array.pointer, POINTER(kind * array.length)).contents)
