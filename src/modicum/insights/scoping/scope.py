"""Which calls somebody looks at: the same for verbs (`--since`, `--until`, `--where`) and addresses of the console."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.insights.scoping.time_span import EVER, NEVER
from modicum.ledger.asking.conditions import COLUMNS, TAG


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The calls that began in a time and that have the given names in some dimensions."""

    since: datetime = EVER
    until: datetime = NEVER
    zone: str = "UTC"
    """In which days begin."""
    where: Mapping[str, str] = {}
    """Names by dimension, as `model` or `tag:feature`; an empty name is that of calls that have none."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What questions are asked with."""
        return {"since": self.since, "until": self.until, "zone": self.zone, "where": dict(self.where)}


def parse_where(conditions: Iterable[str]) -> dict[str, str]:
    """Names by dimension from `team=search`, as `--where` takes it; `team=` chooses calls without one.

    Raises:
        UserError: one of them is no such condition.
    """
    where: dict[str, str] = {}
    for text in conditions:
        dimension, sign, name = text.partition("=")
        if not sign:
            raise UserError(f"'{text:.80}' is no condition; write --where team=search, or --where tag:feature=chat")
        check_dimension(dimension)
        if where.setdefault(dimension, name) != name:
            raise UserError(f"no call has two names in '{dimension}'; give --where {dimension}=... once")
    return where


def check_dimension(dimension: str) -> None:
    """Raises:
    UserError: calls cannot be chosen by it.
    """
    if dimension not in COLUMNS and not (dimension.startswith(TAG) and dimension != TAG):
        raise unknown_name("dimension to choose calls by", dimension, [*COLUMNS, f"{TAG}NAME"])
