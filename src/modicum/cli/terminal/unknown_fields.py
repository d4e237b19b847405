"""The report of `modicum doctor --unknown-fields`: names of what this version does not know, and nothing else."""

import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import msgspec

from modicum.calls import Call, UserError
from modicum.calls.caveats import is_unknown_field
from modicum.settings import Settings

if TYPE_CHECKING:
    from modicum.ledger.store import Store

START, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class UnknownField(msgspec.Struct, frozen=True, order=True):
    """A field or word that this version does not know. No value of a user's is in it, no text, no id, no model."""

    seen_in: str
    """`ledger` or `logs`; a call may be in both."""
    source: str
    """The log format or the door."""
    provider: str
    field: str
    """Where it stands: the path of a number, or a word with its field."""
    kind: str
    """`number` or `word`."""
    calls: int


def fields_in_ledger(store: "Store", since: datetime = START, until: datetime = END) -> list[UnknownField]:
    return _sum(
        "ledger",
        (
            (row["source"], row["provider"], caveat, row["calls"])
            for row in store.ask("doubts", since=since, until=until)
            for caveat in msgspec.json.decode(row["caveats"], type=list[str])
        ),
    )


def fields_in_calls(calls: Iterable[Call]) -> list[UnknownField]:
    return _sum(
        "logs",
        ((call.source, call.provider, caveat, call.calls_count) for call in calls for caveat in call.charges.caveats),
    )


def _sum(seen_in: str, found: Iterable[tuple[str, str, str, int]]) -> list[UnknownField]:
    calls: dict[tuple[str, str, str], int] = {}
    for source, provider, caveat, number in found:
        if is_unknown_field(caveat):
            key = source, provider, caveat
            calls[key] = calls.get(key, 0) + number
    return sorted(
        UnknownField(
            seen_in, source, provider, caveat, "word" if "=" in caveat or "." not in caveat else "number", count
        )
        for (source, provider, caveat), count in calls.items()
    )


def make_report(settings: Settings) -> Mapping[str, Any]:
    """The report, over the ledger and the logs of this home directory. What cannot be opened is left out, and named."""
    fields: list[UnknownField] = []
    left_out: list[str] = []
    for name, find in (("ledger", _from_ledger), ("logs", _from_logs)):
        try:
            fields += find(settings)
        except UserError:
            left_out.append(name)
    return {"versions": _versions(), "fields": fields, "left_out": left_out}


def _from_ledger(settings: Settings) -> list[UnknownField]:
    from modicum.library import resources

    with resources.open_ledger(None, settings) as store:
        return fields_in_ledger(store)


def _from_logs(settings: Settings) -> list[UnknownField]:
    from modicum.cli.inputs.found_logs import find_home_logs
    from modicum.cli.inputs.log_reading import read_logs
    from modicum.importers.format import Reading
    from modicum.ledger.booking import newest_calls

    del settings
    return fields_in_calls(newest_calls(read_logs(find_home_logs(), Reading(), None, [])))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("modicum", "genai-prices"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found
