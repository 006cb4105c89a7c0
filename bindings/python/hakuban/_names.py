"""Names of objects and tags."""

from __future__ import annotations

import ctypes
import json
from typing import Any, Iterable

from . import _abi


def _json_text(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError) as reason:
        raise _abi.InvalidNameError(f"not a JSON value: {reason}") from reason


class Tag:
    """Names a tag by a JSON value. Tags are equal when every exchange holds them equal, and can be keys of a dict."""

    __slots__ = ("text",)

    def __init__(self, value: Any) -> None:
        handle = _abi.pointer_of(_abi.tag_new(_json_text(value)))
        try:
            #: The value's JSON text in its one spelling.
            self.text: str = _abi.tag_json(handle).decode("utf-8")
        finally:
            _abi.tag_drop(handle)

    @classmethod
    def _from_text(cls, text: bytes) -> "Tag":
        named = cls.__new__(cls)
        named.text = text.decode("utf-8")
        return named

    @property
    def value(self) -> Any:
        return json.loads(self.text)

    def _handle(self) -> int:
        return _abi.pointer_of(_abi.tag_new(self.text.encode("utf-8")))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Tag({self.value!r})"


class Object:
    """Names an object by a JSON value and tags, each a Tag or a JSON value. Objects compare as tags do; tags have no order."""

    __slots__ = ("text", "tags")

    def __init__(self, value: Any, tags: Iterable[Any] = ()) -> None:
        named = [tag if isinstance(tag, Tag) else Tag(tag) for tag in tags]
        self._read(self._new(_json_text(value), named))

    @classmethod
    def _from_handle(cls, handle: int) -> "Object":
        named = cls.__new__(cls)
        named._read(handle)
        return named

    def _read(self, handle: int) -> None:
        try:
            #: The value's JSON text in its one spelling.
            self.text: str = _abi.object_json(handle).decode("utf-8")
            #: The object's tags.
            self.tags: frozenset[Tag] = frozenset(
                Tag._from_text(_abi.tag_json(tag)) for tag in _abi.elements(_abi.object_tags(handle), ctypes.c_void_p)
            )
        finally:
            _abi.object_drop(handle)

    @staticmethod
    def _new(text: bytes, tags: Iterable[Tag]) -> int:
        handles: list[int] = []
        try:
            for tag in tags:
                handles.append(tag._handle())
            return _abi.pointer_of(_abi.object_new(text, len(handles), (ctypes.c_void_p * len(handles))(*handles)))
        finally:
            for handle in handles:
                _abi.tag_drop(handle)

    def _handle(self) -> int:
        return self._new(self.text.encode("utf-8"), self.tags)

    @property
    def value(self) -> Any:
        return json.loads(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and self.text == other.text and self.tags == other.tags

    def __hash__(self) -> int:
        return hash((self.text, self.tags))

    def __repr__(self) -> str:
        return f"Object({self.value!r}, tags={sorted(self.tags, key=lambda tag: tag.text)!r})"
