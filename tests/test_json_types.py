"""A fault in these would loosen the published schemas in silence."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from json_types import declared_schema


class Row(msgspec.Struct):
    usd: Decimal | None = None
    kind: Literal["a", "b"] | None = None
    ended: datetime | None = None


@dataclass
class Table:
    rows: list[Row]
    best: Row | None = None
    by_name: dict[str, float | None] | None = None
    note: object = None
    name: str = "t"


ROW = {"usd": {"type": "number"}, "kind": {"type": "string"}, "ended": {"type": "string"}}


def test_null_is_what_the_type_of_its_field_says():
    assert declared_schema(Row()) == {"type": "object", "properties": ROW}
    assert declared_schema({"row": [Row(usd=Decimal(1), kind="a", ended=datetime(2026, 1, 1, tzinfo=UTC))]}) == {}
    assert declared_schema({"a": None, "b": [None]}) == {}


def test_types_reach_into_what_is_not_there_and_into_dictionaries():
    found = declared_schema(Table([Row(Decimal(1), "a")], by_name={"x": None, "y": 1.0}))

    assert found["properties"] == {
        "rows": {"type": "array", "items": {"type": "object", "properties": {"ended": ROW["ended"]}}},
        "best": {"type": "object", "properties": ROW},
        "by_name": {"type": "object", "properties": {"x": {"type": "number"}}},
    }
