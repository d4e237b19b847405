"""How the ledger process and its clients write things down for each other: MessagePack, with decimals kept exact."""

from decimal import Decimal
from typing import Any

import msgspec

MEDIA_TYPE = "application/vnd.msgpack"
_DECIMAL = 1


def encode(document: Any) -> bytes:
    return msgspec.msgpack.encode(_marked(document))


def decode(data: bytes) -> Any:
    return msgspec.msgpack.decode(data, ext_hook=_ext)


def _marked(value: Any) -> Any:
    """Decimals as an extension type: MessagePack would turn them into texts."""
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode("ascii"))
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(inner) for inner in value]
    return value


def _ext(code: int, data: memoryview) -> Any:
    if code == _DECIMAL:
        return Decimal(bytes(data).decode("ascii"))
    raise ValueError(f"an unknown kind of value ({code})")
