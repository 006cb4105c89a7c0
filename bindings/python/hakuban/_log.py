"""What the library logs, in the logging module."""

from __future__ import annotations

import atexit
import logging
from typing import Any

from . import _abi

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG, 5: 5}
_logger = logging.getLogger("hakuban")
_callback: Any = None  # the library calls it: it must last


def log(level: "int | None" = logging.WARNING) -> None:
    """Has what the library logs, from the level on, given to the logger named "hakuban", on a thread of its own. None: no more."""
    global _callback
    callback = _abi.LOG_CALLBACK(_take) if level is not None else _abi.LOG_CALLBACK()
    number = 0 if level is None else max((n for n, each in _LEVELS.items() if each >= level), default=1)
    _abi.check(_abi.log_to(number, callback, None))
    _callback = callback


def _take(_user: Any, level: int, message: bytes) -> None:
    _logger.log(_LEVELS.get(level, logging.DEBUG), "%s", message.decode("utf-8", "replace"))


atexit.register(log, None)  # before there is nothing left to be called
