"""OpenCode without a terminal: the events that `opencode run --format json` prints.

Traps, each with a fixture:

- A call is a step: `step_finish` has its tokens, and the id of the message that OpenCode's database has too. There the
  model stands as well; the events name none, so only what OpenCode itself takes for the cost is known (0: nobody
  knows).
- Older versions have several steps in one message: they are summed.
- `output` includes reasoning in some versions, as in the database (`opencode_messages`).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Basis, Call, Charges, Problem, Usage
from modicum.calls.usage import is_counted
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.agents.opencode_messages import KNOWN, usage_from
from modicum.importers.agents.opencode_messages import NAME as DATABASE
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.exchanges import file_time
from modicum.providers.fields import dollars, mapping, moment, text
from modicum.providers.usage_guard import unknown_numbers

NAME = "opencode-run"
Row = Mapping[str, Any]


class RunStep(msgspec.Struct):
    """A message, which is one step or several."""

    session: str
    started: datetime | None
    finished: datetime | None = None
    usage: Usage = Usage()
    basis: Basis = Basis.EXACT
    output_basis: Basis = Basis.EXACT
    reported: Decimal | None = None
    finish_reason: str = ""
    caveats: tuple[str, ...] = ()


def read(path: Path, reading: Reading) -> Found:
    del reading
    steps: dict[str, RunStep] = {}
    begun: dict[str, datetime | None] = {}
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, row = found
        part, kind = mapping(row.get("part")), row.get("type")
        session = text(row.get("sessionID")) or text(part.get("sessionID"))
        message = text(part.get("messageID"))
        if kind == "step_start":
            begun[session] = moment(row.get("timestamp"))
        elif kind == "step_finish":
            name = message or f"{session}:{text(part.get('id')) or number}"
            step = steps.setdefault(name, RunStep(session, begun.get(session)))
            try:
                _add(step, row, part)
            except ValueError as error:
                yield Problem(str(path), f"not counted: {error}", number)
    timeless = 0
    for name, step in steps.items():
        if step.usage.total_tokens:
            timeless += step.started is None and step.finished is None
            yield _call(path, name, step)
    if timeless:
        yield Problem(
            str(path),
            f"{number_of(timeless, 'call has', 'calls have')} no time; the time of the file stands in its place",
        )
    if not steps:
        yield Problem(str(path), "no step of it has ended with its tokens: nothing to count")


def _add(step: RunStep, row: Row, part: Row) -> None:
    tokens = mapping(part.get("tokens"))
    usage, output_basis = usage_from(tokens, "")
    step.usage += usage
    step.caveats += tuple(unknown_numbers(tokens, KNOWN, "tokens"))
    step.basis |= Basis.counted(is_counted(tokens, "input"))
    step.output_basis |= output_basis | Basis.counted(is_counted(tokens, "output"))
    step.finished = moment(row.get("timestamp")) or step.finished
    step.finish_reason = text(part.get("reason")) or step.finish_reason
    if (cost := dollars(part.get("cost"))) is not None:
        step.reported = (step.reported or Decimal(0)) + cost


def _call(path: Path, name: str, step: RunStep) -> Call:
    return Call(
        call_id=f"{DATABASE}:{name}",
        source=NAME,
        provider="",
        model="",
        started=step.started or step.finished or file_time(path),
        finished=step.finished,
        finish_reason=step.finish_reason,
        usage=step.usage,
        usage_basis=step.basis,
        output_basis=step.output_basis | step.basis,
        charges=Charges.of(caveats=step.caveats),
        reported_cost_usd=step.reported,
        task=step.session,
        conversation=step.session,
        revision=-1,  # the database's record of the same message names the model, and stands
    )


_KIND = re.compile(rb'"type"\s*:\s*"(?:step_start|step_finish)"')


def recognises(path: Path, head: bytes) -> bool:
    """Events with a session and a step."""
    del path
    return b'"sessionID"' in head and b'"part"' in head and _KIND.search(head) is not None


FORMAT = LogFormat(
    name=NAME,
    title="OpenCode headless runs (opencode run --format json)",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
