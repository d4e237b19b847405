"""Fields of foreign documents, read with care: replies, logs and exports, in JSON or as the text of a CSV cell.

Two kinds of readers. The plain ones give something of the wanted type whatever stands there, or nothing. The checked
ones raise where something stands there that is none, for rows that should be reported rather than half read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from modicum.calls.outside.storable import storable
from modicum.calls.usage import checked_count
from modicum.providers.json_values import decoded

LAST_YEAR = 2200
MOST_REPORTED_USD = 1_000_000


def mapping(value: Any) -> Mapping[str, Any]:
    """The JSON object, or an empty one."""
    if value.__class__ is dict:  # asking for the abstract class takes ten times as long
        return value
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """The JSON array, or an empty one."""
    return value if isinstance(value, list) else []


def parsed(value: Any) -> Any:
    """A value, taken out of the JSON text that it may be wrapped in."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return decoded(value)
        except (ValueError, RecursionError):
            return value
    return value


def parsed_mapping(value: Any) -> Mapping[str, Any]:
    """The object, also where it is written as text; an empty one otherwise."""
    return mapping(parsed(value))


def parsed_list(value: Any) -> list[Any]:
    """The array, also where it is written as text; an empty one otherwise."""
    return listed(parsed(value))


def text(value: Any) -> str:
    """The string, free of half surrogate pairs, or an empty one."""
    return storable(value) if value is not None and isinstance(value, str) else ""


def only_text(content: Any) -> str | None:
    """The text of a content that is nothing but text."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [mapping(part) for part in listed(content)]
    if all(isinstance(part.get("text"), str) for part in parts):
        return "\n".join(part["text"] for part in parts)
    return None


def joined_text(content: Any, blocks: str = "") -> str:
    """The text of a content that is a string, a list of parts, or an object that holds one."""
    if isinstance(content, Mapping):
        content = content.get(blocks)
    if isinstance(content, str):
        return content
    return "\n".join(text(mapping(part).get("text")) for part in listed(content))


def forced_tool(choice: Any) -> str:
    """Whether the reply must be a tool call: a text would break whoever waits for it."""
    kind = choice if isinstance(choice, str) else mapping(choice).get("type")
    return "" if kind in {None, "auto", "none"} else "it wants a tool call"


def label(value: Any) -> str:
    """A name or an id, which may be a number; nothing where it is neither."""
    return text(str(value)) if isinstance(value, int) and not isinstance(value, bool) else text(value)


def first(record: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that holds something."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def count(record: Mapping[str, Any], *names: str) -> int | None:
    """The first of these counts that is there. Some exporters write numbers as text.

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


def moment(value: Any) -> datetime | None:
    """A time in UTC from ISO 8601 or from seconds, milli-, micro- or nanoseconds since 1970; None where it is none.

    A time without zone is taken for UTC.
    """
    try:
        if isinstance(value, str):
            if value.replace(".", "", 1).isdigit():
                return moment(float(value))
            at = datetime.fromisoformat(value)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e20:
            seconds = float(value)
            while seconds > 1e11:
                seconds /= 1000
            at = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return at if 1970 <= at.year < LAST_YEAR else None


def checked_moment(value: Any) -> datetime | None:
    """As `moment`; None only where nothing stands.

    Raises:
        ValueError: it is no time.
    """
    if value is None or value == "":
        return None
    at = moment(value.strip() if isinstance(value, str) else value)
    if at is None:
        raise ValueError("the time is none")
    return at


def start(value: Any) -> datetime:
    """The time at which a call began.

    Raises:
        ValueError: it is missing or no time.
    """
    at = checked_moment(value)
    if at is None:
        raise ValueError("the time at which the call began is missing")
    return at


def dollars(value: Any) -> Decimal | None:
    """What a log says that a call cost; None where it is no amount. 0 is None: logs write it where they do not know."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return checked_dollars(value) or None
    except ValueError:
        return None


def checked_dollars(value: Any) -> Decimal | None:
    """An amount of money, which may be 0; None where nothing stands.

    Raises:
        ValueError: it is no amount that a call can have.
    """
    if value is None or value == "":
        return None
    try:
        usd = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("the cost is no amount of money") from None
    if not usd.is_finite() or not 0 <= usd < MOST_REPORTED_USD:
        raise ValueError("the cost is no amount that a call can have")
    return usd
