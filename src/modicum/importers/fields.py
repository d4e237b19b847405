"""Values as exports write them: counts, times, amounts and names, in JSON or as the text of a CSV cell."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from modicum.calls.storable import storable
from modicum.calls.usage import checked_count
from modicum.providers.json_values import decoded

MOST_DOLLARS = 1_000_000
MOST_TAG_CHARACTERS = 200
"""A longer value is no tag but content, and content is not kept."""


def first(record: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that holds something."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def text(value: Any) -> str:
    """A name or an id; nothing where it is neither. Half surrogate pairs, which no store takes, are replaced."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return storable(str(value))


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, also where it is written as text; an empty one otherwise."""
    found = structure(value)
    return found if isinstance(found, Mapping) else {}


def items(value: Any) -> list[Any]:
    """A list, also where it is written as text; an empty one otherwise."""
    found = structure(value)
    return found if isinstance(found, list) else []


def structure(value: Any) -> Any:
    """A value, taken out of the JSON text that it may be wrapped in."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return decoded(value)
        except (ValueError, RecursionError):
            return value
    return value


def count(record: Mapping[str, Any], *names: str) -> int | None:
    """The first of these counts that is there.

    Raises:
        ValueError: it is no count of tokens.
    """
    for name in names:
        value = record.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            value = _number(name, value)
        return checked_count(name, value)
    return None


def _number(name: str, value: str) -> float:
    try:
        return int(value) if value.strip().isdecimal() else float(value)
    except ValueError:
        raise ValueError(f"{name} is no number") from None


def dollars(value: Any) -> Decimal | None:
    """An amount of money; None for none.

    Raises:
        ValueError: it is no amount that a call can have.
    """
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("the cost is no amount of money") from None
    if not amount.is_finite() or not 0 <= amount < MOST_DOLLARS:
        raise ValueError("the cost is no amount that a call can have")
    return amount


def moment(value: Any) -> datetime | None:
    """A time in UTC, from ISO 8601 (without zone: taken for UTC) or from seconds or milliseconds since 1970.

    Raises:
        ValueError: it is no time.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
            at = datetime.fromisoformat(value.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise ValueError("the time is none") from None


def start(value: Any) -> datetime:
    """The time at which a call began.

    Raises:
        ValueError: it is missing or no time.
    """
    at = moment(value)
    if at is None:
        raise ValueError("the time at which the call began is missing")
    return at


def tags(values: Iterable[Any]) -> dict[str, str]:
    """Tags from a list as platforms have it: `team:search` and `team=search` are named, a bare one is `true`."""
    found = {}
    for value in values:
        name = text(value)
        for mark in (":", "="):
            key, split, inner = name.partition(mark)
            if split and key and inner:
                name = key
                found[key.strip()] = inner.strip()[:MOST_TAG_CHARACTERS]
                break
        else:
            if name and len(name) <= MOST_TAG_CHARACTERS:
                found[name] = "true"
    return found


def named(**values: Any) -> dict[str, str]:
    """Tags of these names, without the empty ones."""
    return {
        name: found for name, value in values.items() if (found := text(value)) and len(found) <= MOST_TAG_CHARACTERS
    }
