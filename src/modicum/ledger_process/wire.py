"""What the ledger process and its clients write to each other: MessagePack, with decimals and arrays kept exact."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

MEDIA_TYPE = "application/vnd.msgpack"
_DECIMAL, _NAIVE_TIME, _INTEGERS, _FLOATS = 1, 2, 3, 4


def encode(document: Any) -> bytes:
    return msgspec.msgpack.encode(_marked(document))


def decode(data: bytes) -> Any:
    return msgspec.msgpack.decode(data, ext_hook=_ext)


def _marked(value: Any) -> Any:
    """Decimals, times without zone and arrays as extension types: MessagePack would turn them into texts."""
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(inner) for inner in value]
    if isinstance(value, np.ndarray) and value.dtype == object:
        return _marked(value.tolist())
    mark = next((mark for type_, mark in _MARKS.items() if isinstance(value, type_)), None)
    return value if mark is None else mark(value)


def _time(value: datetime) -> Any:
    if value.tzinfo is not None:
        return value
    return msgspec.msgpack.Ext(_NAIVE_TIME, value.isoformat().encode("ascii"))


_MARKS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: msgspec.msgpack.Ext(_DECIMAL, str(value).encode("ascii")),
    datetime: _time,
    np.ndarray: lambda value: msgspec.msgpack.Ext(_INTEGERS if value.dtype.kind == "i" else _FLOATS, value.tobytes()),
}


def _ext(code: int, data: memoryview) -> Any:
    if code == _DECIMAL:
        return Decimal(bytes(data).decode("ascii"))
    if code == _NAIVE_TIME:
        return datetime.fromisoformat(bytes(data).decode("ascii"))
    if code in {_INTEGERS, _FLOATS}:
        return np.frombuffer(bytes(data), dtype=np.int64 if code == _INTEGERS else np.float64)
    raise ValueError(f"an unknown kind of value ({code})")
