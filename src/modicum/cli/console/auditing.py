"""The audit of a console, in a process of its own: it takes minutes and gigabytes for a large ledger, and pages go on.

`python -m modicum.cli.console.auditing` reads a question from its standard input and writes the document of
`modicum audit --json`.
"""

import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import UserError
from modicum.calls.outside.one_line import one_line
from modicum.insights.scoping.scope import Scope

FAULT = 2


class BackgroundAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    place: str
    """The ledger."""
    folder: str
    """Of the state of the process that holds it."""
    since: datetime
    until: datetime
    zone: str
    what_ifs: tuple[str, ...] = ()


def audit_beside(place: str, folder: Path, scope: Scope, what_ifs: tuple[str, ...]) -> Mapping[str, Any]:
    """The document of `modicum audit --json` for the same time.

    Raises:
        UserError: there is nothing to look at, or the process failed.
    """
    question = BackgroundAudit(
        place=place, folder=str(folder), since=scope.since, until=scope.until, zone=scope.zone, what_ifs=what_ifs
    )
    done = subprocess.run(
        [sys.executable, "-m", "modicum.cli.console.auditing"],
        input=msgspec.json.encode(question),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").splitlines() or ["no reason was given"]
        raise UserError(f"the history was not replayed: {lines[-1][:500]}")
    document: Mapping[str, Any] = msgspec.json.decode(done.stdout)
    return document


def answer(question: BackgroundAudit) -> str:
    """The document as JSON."""
    from modicum.cli.console.ledger_access import opener_of
    from modicum.cli.terminal.output import json_text
    from modicum.insights.audit import audit, audit_document
    from modicum.library.resources import load_prices
    from modicum.settings import read_settings

    prices = load_prices(None, read_settings())
    with opener_of(question.place, Path(question.folder))() as store:
        found = audit(
            store,
            prices,
            (question.since, question.until),
            what_ifs=question.what_ifs,
            zone=ZoneInfo(question.zone),
        )
    prices.save()
    return json_text(audit_document(found))


def main() -> int:
    try:
        sys.stdout.write(answer(msgspec.json.decode(sys.stdin.buffer.read(), type=BackgroundAudit)))
    except UserError as error:
        sys.stderr.write(f"{one_line(str(error))}\n")
        return FAULT
    return 0


if __name__ == "__main__":
    sys.exit(main())
