"""Cursor: the CSV of the dashboard (Usage, Export CSV). On the machine itself it keeps no counts that can be trusted.

`state.vscdb`, where Cursor keeps its chats, has counts for a few messages and zeros for most; it is known here only to
say where the counts are. Written from the columns that public projects read (2025 and September 2026); no export was at
hand. Traps, each with a fixture:

- The columns changed several times; they are found by name.
- `Input (w/ Cache Write)` either includes `Input (w/o Cache Write)` or stands beside it: the total tells which. Where
  it agrees with neither, nobody knows.
- `Cost` is money only where the row's kind is charged by use. An included call's cost is used up from a plan: no
  dollars. What was not charged (errors, aborts, free) costs nothing. With one's own key, its provider bills.
- Rows have no id: time, model, counts and user stand for it, so that exports may overlap.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from modicum.calls import Basis, Call, CallStatus, Charges, Owner, Problem, Usage
from modicum.calls.provider_names import provider_of_own_model
from modicum.importers.agents.agent_database import has_columns
from modicum.importers.agents.opencode import SQLITE, is_database
from modicum.importers.exports.export_record import Record, Recorded, fields_in, read_export
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.tags import named
from modicum.providers.fields import checked_dollars, count, label, start
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "cursor"
WITH_WRITES, WITHOUT_WRITES, READ = "Input (w/ Cache Write)", "Input (w/o Cache Write)", "Cache Read"
OUTPUT, TOTAL = "Output Tokens", "Total Tokens"
COLUMNS = {"Date", "Model", WITH_WRITES, WITHOUT_WRITES, READ, OUTPUT}
KNOWN: KnownFields = {
    **dict.fromkeys((WITH_WRITES, WITHOUT_WRITES, READ, OUTPUT, TOTAL), "priced"),
    **dict.fromkeys(("Cost", "Cost to you"), "taken where it was charged"),
    **dict.fromkeys(("Requests", "Requests (Cost)", "Request Cost"), "the plan's own unit, no dollars"),
    **dict.fromkeys(("Date", "User", "User ID", "Kind", "Model", "Max Mode"), "no count"),
    **dict.fromkeys(("Cloud Agent ID", "Automation ID", "Conversation ID", "Team", "Service Account"), "no count"),
}
"""What is done with every number of a row."""
HELP = (
    "Cursor keeps the counts of its calls on its server: open cursor.com/dashboard, Usage, Export CSV, and read that "
    "file"
)


def read(path: Path, reading: Reading) -> Found:
    if is_database(path):
        yield Problem(str(path), HELP)
        return
    yield from read_export(path, reading, recorded)


def recorded(row: Record) -> Recorded:
    """One row of the export.

    Raises:
        ValueError: a count, an amount or the time is none.
    """
    kind, model, user = label(row.get("Kind")), label(row.get("Model")), label(row.get("User"))
    at = start(row.get("Date"))
    usage, basis = usage_from(row)
    lowered = kind.lower()
    is_free = "no charge" in lowered or "not charged" in lowered or lowered == "free"
    is_own_key = "api key" in lowered
    is_charged = "included" not in lowered and ("on-demand" in lowered or "usage" in lowered)
    status = CallStatus.ERROR if "error" in lowered else CallStatus.ABORTED if "abort" in lowered else CallStatus.OK
    call = Call(
        call_id=":".join([NAME, at.isoformat(), model, str(usage.total_tokens), user]),
        source=NAME,
        provider=provider_of_own_model(model) if is_own_key else NAME,
        model=model,
        started=at,
        status=status,
        usage=usage,
        usage_basis=basis,
        output_basis=Basis.counted(count(row, OUTPUT) is not None),
        reported_cost_usd=Decimal(0) if is_free else None,
        charges=Charges.of(
            caveats=unknown_numbers(row, KNOWN, "column"),
            provider_cost_usd=_charged(row.get("Cost")) if is_charged and not is_free else None,
        ),
        owner=Owner(user=user),
        tags=named(
            kind=kind,
            max_mode=row.get("Max Mode"),
            cloud_agent=row.get("Cloud Agent ID"),
            automation=row.get("Automation ID"),
        ),
        revision=usage.total_tokens,
    )
    return Recorded(call)


def usage_from(row: Record) -> tuple[Usage, Basis]:
    """The counts as buckets, and how they are known.

    Raises:
        ValueError: a count is no count of tokens.
    """
    with_writes, uncached = count(row, WITH_WRITES), count(row, WITHOUT_WRITES)
    read_, output, total = count(row, READ) or 0, count(row, OUTPUT), count(row, TOTAL)
    if with_writes is None or uncached is None or output is None:
        return Usage(uncached or 0, read_, 0, 0, output or 0), Basis.UNKNOWN
    writes = [written for written in (with_writes, with_writes - uncached) if written >= 0]
    for written in writes:
        usage = Usage(uncached, read_, written, 0, output)
        if total in {None, usage.total_tokens}:
            return usage, Basis.UNKNOWN if total is None and with_writes else Basis.EXACT
    return Usage(uncached, read_, writes[0], 0, output), Basis.UNKNOWN


def _charged(cost: object) -> Decimal | None:
    amount = label(cost).strip().replace("$", "").replace(",", "")
    return checked_dollars(amount) if amount[:1].isdecimal() or amount[:1] == "." else None


def recognises(path: Path, head: bytes) -> bool:
    """The head of the export, or the database of Cursor's chats."""
    if head.startswith(SQLITE):
        return has_columns(path, head, {"cursorDiskKV": {"key", "value"}})
    return fields_in(head) >= COLUMNS


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    folders = (
        home / ".config",
        home / "Library" / "Application Support",
        Path(environment.get("APPDATA") or home / "AppData" / "Roaming"),
    )
    return [folder / "Cursor" / "User" / "globalStorage" / "state.vscdb" for folder in folders]


FORMAT = LogFormat(
    name=NAME,
    title="Cursor usage (CSV of the dashboard)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
)
