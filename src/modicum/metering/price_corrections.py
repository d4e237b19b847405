"""Our own dated corrections to the price list, and what is not settled about it.

The list knows few dates: it holds today's price of a model, also for calls of last month. What was looked up elsewhere
stands in `price_corrections.toml`, each entry with its source, the day on which it was noted, and what the list says in
its place. An entry whose list has changed since is not applied: where the list now says the same, nothing is to be
corrected; where it says a third thing, its price stands and is an estimate until somebody has looked.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import copy
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from modicum.calls import Tier
from modicum.metering.price_file import decimals

PLACE = Path(__file__).with_name("price_corrections.toml")
DAY = timedelta(days=1)
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


class PriceNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}, kw_only=True):
    """Which calls an entry is about: seller, models, lane and time. Times are UTC."""

    seller: str
    models: tuple[str, ...] = ("*",)
    """Ids of the list's models, or patterns of them."""
    names: tuple[str, ...] = ("*",)
    """Patterns of the names that calls have."""
    but_not: tuple[str, ...] = ()
    """Patterns of names that are left out."""
    lane: Tier | None = None
    """None: every lane."""
    since: datetime | None = None
    until: datetime | None = None
    """The first moment at which it no longer holds."""
    weekdays: tuple[int, ...] = ()
    """1 is Monday. Empty: all."""
    hours: tuple[str, ...] = ()
    """`01:00-04:00`, the end not included; `24:00` ends the day. Empty: all."""
    source: str
    noted: date
    why: str

    def is_about(self, seller: str, model: str, name: str, lane: Tier) -> bool:
        return (
            self.seller == seller
            and self.lane in {None, lane}
            and _fits(model, self.models)
            and _fits(name, self.names)
            and not _fits(name, self.but_not)
        )

    def holds_at(self, at: datetime) -> bool:
        moment = _utc(at)
        return (
            (self.since is None or _utc(self.since) <= moment)
            and (self.until is None or moment < _utc(self.until))
            and (not self.weekdays or moment.isoweekday() in self.weekdays)
            and (not self.hours or any(start <= _minute(moment) < end for start, end in self._windows()))
        )

    def divides(self, at: datetime) -> bool:
        """Whether it holds for a part of that day only."""
        day = datetime.combine(_utc(at).date(), time(), UTC)
        cuts = (self.since, self.until)
        if any(cut is not None and day < _utc(cut) < day + DAY for cut in cuts):
            return True
        return bool(self.hours) and any(self.holds_at(day + timedelta(hours=hour)) for hour in range(24))

    def moments(self, today: date) -> Iterator[datetime]:
        """Some moments at which it holds: of its first and last week and of the week before today, every half hour."""
        first = _utc(self.since) if self.since else datetime(2025, 1, 1, tzinfo=UTC)
        end = datetime.combine(today, time(), UTC)
        last = min(_utc(self.until), end) if self.until else end
        for start in {first, max(first, last - 7 * DAY)}:
            steps = (start + timedelta(minutes=30 * step) for step in range(7 * 48))
            yield from (moment for moment in steps if self.holds_at(moment))

    def _windows(self) -> list[tuple[int, int]]:
        found = [_HOURS.fullmatch(window) for window in self.hours]
        return [
            (int(h) * 60 + int(m), int(to_h) * 60 + int(to_m)) for h, m, to_h, to_m in (w.groups() for w in found if w)
        ]


class Correction(PriceNote, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Prices that hold in the place of the list's, in its own words: `input_mtok`, dollars per million tokens."""

    rates: dict[str, Decimal]
    listed: tuple[dict[str, Decimal], ...] = ()
    """What the list says of these: one of these. A name that lacks has no price there."""

    def state(self, price: Any) -> "CorrectionState":
        current = _named(vars(price), self.rates)
        if current == self.rates:
            return CorrectionState.SETTLED
        return (
            CorrectionState.DUE
            if any(current == _named(listed, self.rates) for listed in self.listed)
            else CorrectionState.CONTRADICTED
        )


class Unsettled(PriceNote, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Prices of which two sources say different things, or a date that nobody names: such a price is an estimate."""

    above_tokens: int = -1
    """Only prompts larger than this are in doubt."""


class CorrectionState(StrEnum):
    """What a correction finds in the list."""

    DUE = "due"
    """The list says what it said when the correction was written."""
    SETTLED = "settled"
    """The list says the same as the correction."""
    CONTRADICTED = "contradicted"
    """The list has changed, to something else."""


class Corrected(msgspec.Struct, frozen=True):
    """A price of the list after our corrections."""

    price: Any
    applied: tuple[Correction, ...] = ()
    doubts: tuple[PriceNote, ...] = ()
    """Why it is an estimate: what is unsettled, and corrections that the list contradicts."""
    lasts_all_day: bool = True


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    correction: list[Correction] = []
    unsettled: list[Unsettled] = []


class PriceQuery(NamedTuple):
    """What a price is asked for: seller and model by the list's ids, the name that the call has, and its lane."""

    seller: str
    model: str
    name: str
    lane: Tier


class Corrections:
    """All of them. `apply` is the one place where a price of the list is changed."""

    def __init__(self, corrections: list[Correction], unsettled: list[Unsettled], version: str = "") -> None:
        self.corrections = corrections
        self.unsettled = unsettled
        self.version = version
        self._made: dict[tuple[int, tuple[int, ...]], tuple[Any, Any]] = {}

    @classmethod
    def read(cls, path: Path = PLACE) -> Self:
        text = path.read_bytes()
        document = _parse_document(text)
        return cls(document.correction, document.unsettled, hashlib.sha256(text).hexdigest()[:8])

    def apply(self, query: "PriceQuery", at: datetime, price: Any) -> Corrected:
        about = [entry for entry in self.corrections if entry.is_about(*query)]
        doubtful = [entry for entry in self.unsettled if entry.is_about(*query)]
        if not about and not doubtful:
            return Corrected(price)
        applied: list[Correction] = []
        doubts: list[PriceNote] = [entry for entry in doubtful if entry.holds_at(at)]
        for entry in about:
            if not entry.holds_at(at):
                continue
            state = entry.state(price)
            if state is CorrectionState.DUE:
                applied.append(entry)
            elif state is CorrectionState.CONTRADICTED:
                doubts.append(entry)
        divided = any(entry.divides(at) for entry in (*about, *doubtful))
        return Corrected(self._changed(price, applied), tuple(applied), tuple(doubts), not divided)

    def about(self, query: "PriceQuery") -> list[PriceNote]:
        """All that is noted of a model, whatever the time."""
        entries: list[PriceNote] = [*self.corrections, *self.unsettled]
        return [entry for entry in entries if entry.is_about(*query)]

    def _changed(self, price: Any, applied: list[Correction]) -> Any:
        """A copy with the corrected rates; the same copy for the same corrections, since rates are kept by price."""
        if not applied:
            return price
        key = id(price), tuple(map(id, applied))
        if key not in self._made:
            changed = copy(price)
            for entry in applied:
                vars(changed).update(entry.rates)
            self._made[key] = price, changed  # the price is held, so that its id stays its own
        return self._made[key][1]


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _named(rates: Mapping[str, Any], names: Mapping[str, Decimal]) -> dict[str, Any]:
    return {name: rates.get(name) for name in names}


@lru_cache(maxsize=1)
def _parse_document(text: bytes) -> _Document:
    """Parsed once for as long as it is the same: each price book needs it, and it takes some 20 ms."""
    return msgspec.convert(_with_moments(tomllib.loads(text.decode(), parse_float=Decimal)), _Document)


def _with_moments(document: Any) -> Any:
    """The document with decimals for rates, and for a day of `from` and `until` its first moment."""
    for entry in (*document.get("correction", ()), *document.get("unsettled", ())):
        entry.update({name: decimals(entry[name]) for name in ("rates", "listed") if name in entry})
        for name in ("from", "until"):
            if isinstance(entry.get(name), date) and not isinstance(entry[name], datetime):
                entry[name] = datetime.combine(entry[name], time(), UTC)
    return document


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute
