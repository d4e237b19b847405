"""Who pays rent: every segment of the anatomy with what it cost to carry, in all calls that carried it.

The parts sum to the bill: the prompts by segment, and beside them the completions, provider-run searches, and prompts
that have no anatomy. What is left is shown as the rest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from modicum.calls import Basis
from modicum.ledger.store import Store

COMPLETIONS = "(completions)"
SEARCHES = "(web searches)"
NO_ANATOMY = "(prompts without anatomy)"
UNDIVIDED = "(told as a total only)"
OTHERS = "(other segments)"
REST_WITHIN, HALF_A_CENT, ROUNDING_USD = 0.005, 0.005, 1e-9
MOST_SEGMENTS = 20
"""How many segments stand on their own, by default."""


class RentPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of segment cost. The prompt was counted by the provider, the shares of its segments by us: its
    basis is ESTIMATED.
    """

    name: str
    segments: int = 0
    tokens: int
    """When first sent."""
    tokens_carried: int
    """Summed over all calls that carried them."""
    cost_usd: float | None
    """None where only calls without a known price carried it."""
    read_usd: float = 0.0
    written_usd: float = 0.0
    uncached_usd: float = 0.0
    basis: Basis


class SegmentPart(RentPart, frozen=True, kw_only=True):
    """What one single segment cost. `name` is its kind and tool, `tokens` its size."""

    kind: str
    tool: str
    task: str
    conversation: str
    position: int
    """Place in the context, from 0."""
    call_id: str
    """The call that first carried it."""
    born: datetime
    """When that call began."""
    calls_carried: int
    """Calls of the span that carried it."""


class Rent(msgspec.Struct, frozen=True, kw_only=True):
    by: str
    calls: int
    calls_unpriced: int
    cost_usd: Decimal | None
    parts: list[RentPart]
    rest_usd: float
    """What no part accounts for: rounding, calls whose earlier context is not in the ledger, and prompts that were
    longer than all that the log shows of them.
    """

    @property
    def has_rest(self) -> bool:
        """Whether the rest is worth a line: half a cent, or half a percent of the bill."""
        return abs(self.rest_usd) > max(min(HALF_A_CENT, REST_WITHIN * float(self.cost_usd or 0)), ROUNDING_USD)


def compute_rent(store: Store, by: str, since: datetime, until: datetime, *, most: int = MOST_SEGMENTS) -> Rent:
    """The rent of the calls that began in that time, by a dimension of `ANATOMY`; dearest parts first. By segment,
    `most` of them stand on their own, and the others are one part.
    """
    if by == "segment":
        parts = _make_segment_parts(store.ask("rent_segments", most=most, since=since, until=until))
    else:
        parts = [_make_part(row) for row in store.ask("rent", by=by, since=since, until=until)]
    return build(parts, store.ask("rent_frame", since=since, until=until)[0], by)


def build(parts: Sequence[RentPart], frame: Mapping[str, Any], by: str) -> Rent:
    parts = list(parts)
    parts.append(_make_plain_part(COMPLETIONS, frame["completion_tokens"], frame["completion_usd"]))
    parts.append(_make_plain_part(SEARCHES, 0, frame["requests_usd"]))
    parts.append(_make_plain_part(NO_ANATOMY, frame["bare_prompt_tokens"], frame["bare_prompt_usd"]))
    parts.append(_make_plain_part(UNDIVIDED, 0, frame["undivided_usd"]))
    parts = [part for part in parts if part.tokens or part.cost_usd]
    parts.sort(key=lambda part: (not isinstance(part, SegmentPart), -(part.cost_usd or 0)))
    return Rent(
        by=by,
        calls=int(frame["calls"] or 0),
        calls_unpriced=int(frame["calls_unpriced"] or 0),
        cost_usd=frame["cost_usd"],
        parts=parts,
        rest_usd=float(frame["cost_usd"] or 0) - sum(part.cost_usd or 0 for part in parts),
    )


def _make_part(row: Mapping[str, Any]) -> RentPart:
    regions = [row[name] for name in ("read_usd", "written_usd", "uncached_usd")]
    read, written, uncached = (float(usd or 0) for usd in regions)
    return RentPart(
        name=row["name"],
        segments=int(row["segments"]),
        tokens=int(row["tokens"]),
        tokens_carried=int(row["tokens_carried"]),
        cost_usd=None if None in regions else read + written + uncached,
        read_usd=read,
        written_usd=written,
        uncached_usd=uncached,
        basis=Basis.UNKNOWN if None in regions else Basis.ESTIMATED,
    )


def _make_segment_parts(rows: Sequence[Mapping[str, Any]]) -> list[RentPart]:
    """The rows of `rent_segments`: the sum over all comes first."""
    whole, *dearest = rows
    parts: list[RentPart] = [_make_segment_part(row) for row in dearest]
    sums = {
        name: (whole[name] or 0) - sum(row[name] or 0 for row in dearest)
        for name in ("segments", "tokens", "tokens_carried", "read_usd", "written_usd", "uncached_usd")
    }
    if whole["calls_carried"] > sum(row["calls_carried"] for row in dearest):
        parts.append(_make_part(sums | {"name": OTHERS}))
    return parts


def _make_segment_part(row: Mapping[str, Any]) -> SegmentPart:
    name = f"{row['kind']} {row['tool']}" if row["tool"] else row["kind"]
    part = _make_part({**row, "name": name, "tokens": row["tokens_each"], "segments": 1})
    return SegmentPart(
        **msgspec.structs.asdict(part),
        kind=row["kind"],
        tool=row["tool"],
        task=row["task"],
        conversation=row["conversation"],
        position=int(row["position"]),
        call_id=row["entry_id"],
        born=row["born_at"],
        calls_carried=int(row["calls_carried"]),
    )


def _make_plain_part(name: str, tokens: int | None, usd: Decimal | None) -> RentPart:
    return RentPart(
        name=name, tokens=int(tokens or 0), tokens_carried=int(tokens or 0), cost_usd=float(usd or 0), basis=Basis.EXACT
    )
