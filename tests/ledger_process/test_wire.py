from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.ledger_process import wire


def test_decimals_times_and_bytes_come_back_as_they_were():
    told = {
        "usd": Decimal("0.0000000001"),
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "digest": b"\x00\xff",
        "rows": [{"a": None}],
    }

    assert wire.decode(wire.encode(told)) == told


def test_an_unknown_kind_of_value_is_refused():
    import msgspec

    with pytest.raises(ValueError, match="unknown kind"):
        wire.decode(msgspec.msgpack.encode(msgspec.msgpack.Ext(7, b"x")))
