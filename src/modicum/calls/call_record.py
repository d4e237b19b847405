"""A call as journals keep it, also as versions before this one wrote it."""

import msgspec

from modicum.calls.call import Call
from modicum.calls.charges import ChargedUnit, Charges

_call = msgspec.msgpack.Decoder(Call)
_MARK = b"\xacweb_searches"
"""The key, as MessagePack writes a text of twelve bytes."""


class _FormerCall(msgspec.Struct):
    """What calls had until charges had units."""

    web_searches: int = 0


def decode_call(body: bytes) -> Call:
    """The call of a record.

    Raises:
        msgspec.DecodeError: it is none.
    """
    call = _call.decode(body)
    if _MARK in body and (searches := msgspec.msgpack.decode(body, type=_FormerCall).web_searches):
        return msgspec.structs.replace(call, charges=Charges({ChargedUnit.WEB_SEARCH.value: searches}))
    return call
