"""The audit of logs or of the ledger: worked out, or recalled where nothing changed that it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from modicum.calls import Problem, UserError
from modicum.cli import shared_options as shared
from modicum.cli.anatomy import open_ledger_or_logs
from modicum.cli.inputs.log_reading import print_problems, show_steps
from modicum.cli.inputs.log_sets import LogSet, find_log_set, program_version
from modicum.cli.inputs.saved_answers import answer_name, recall_answer, save_answer
from modicum.ledger.records import OUTCOMES
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.library.other_prices import at_prices_of, other_prices
from modicum.settings import Settings, cache_folder, ledger_place, state_folder

if TYPE_CHECKING:
    from modicum.experiments.savings import Saving
    from modicum.insights.audit import Audit
    from modicum.insights.scoping.call_choice import Condition
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook


@dataclass(frozen=True, kw_only=True)
class AuditQuestion:
    """What is audited, and under which changes."""

    options: shared.LogOptions
    paths: tuple[Path, ...]
    """Logs; none: the ledger."""
    outcomes: tuple[Path, ...] = ()
    span: tuple[datetime, datetime]
    zone: ZoneInfo
    only: tuple[str, ...] = ()
    what_ifs: tuple[str, ...] = ()
    conditions: "Sequence[Condition]" = ()
    """Which calls."""
    watches_text: bool = True
    """As in `Reading`."""
    prices_of: str | None = None
    """Day or model whose prices hold for all calls."""


@dataclass(frozen=True)
class AuditAnswer:
    audit: "Audit"
    problems: list[Problem]
    savings: "Sequence[Saving]" = ()
    """Of experiments, where the ledger is audited."""


def answer_audit(question: AuditQuestion, settings: Settings, logs: LogSet | None = None) -> AuditAnswer:
    """The audit. `logs`: of the question's paths, where they were looked at already.

    Raises:
        UserError: there are no calls, no such logs, or the ledger cannot be opened.
    """
    prices = resources.load_prices(question.options.price_path, settings)
    if question.paths and logs is None:
        logs = find_log_set(question.paths, question.options.source, prices, watches_text=question.watches_text)
    if question.prices_of is not None:
        prices = other_prices(question.prices_of, prices, question.zone)
    place = _answer_place(question, logs, settings, prices)
    if place is not None and (known := _recall(*place)) is not None:
        return known
    answer = _work_out(question, settings, prices, logs)
    if place is not None:
        save_answer(*place, (answer.audit, answer.problems))
    return answer


def _recall(folder: Path, name: str) -> AuditAnswer | None:
    from modicum.insights.audit import Audit

    known = recall_answer(folder, name, tuple[Audit, list[Problem]])
    return None if known is None else AuditAnswer(*known)


def _work_out(question: AuditQuestion, settings: Settings, prices: "PriceBook", logs: LogSet | None) -> AuditAnswer:
    from modicum.cli.experiments.savings import read_savings
    from modicum.insights.audit import audit

    problems: list[Problem] = []
    with (
        open_ledger_or_logs(question.paths, question.options, settings, problems, logs) as booked,
        at_prices_of(booked, prices) as whole,
    ):
        add_outcomes(whole, question.outcomes, problems)
        try:
            with choose_from(whole, question.conditions, question.zone) as store, show_steps("audit") as on_step:
                found = audit(
                    store,
                    prices,
                    question.span,
                    only=question.only,
                    what_ifs=question.what_ifs,
                    on_step=on_step,
                    zone=question.zone,
                )
        except UserError:
            print_problems(problems, strict=False)  # they may say why there is nothing to look at
            raise
        savings = [] if question.paths or question.conditions else read_savings(whole)
    prices.save()
    return AuditAnswer(found, problems, savings)


def _answer_place(
    question: AuditQuestion, logs: LogSet | None, settings: Settings, prices: "PriceBook"
) -> tuple[Path, str] | None:
    """Where the answer lies, or would: folder and name. None: what it rests on cannot be told to be unchanged."""
    if question.outcomes:
        return None
    rests_on = [prices.version, program_version(), question.span, question.zone.key, question.only, question.what_ifs]
    rests_on.append(question.conditions)
    rests_on.append(f"{datetime.now(UTC):%Y-%m-%d}")  # the rules are replayed at today's prices too
    if logs is not None:
        if logs.folder is None or not logs.marks:
            return None
        return logs.folder / "answers", answer_name(logs.state, *rests_on)
    place = question.options.ledger_url or ledger_place(settings)
    state = _ledger_state(place)
    if state is None or (state_folder() / "events.sqlite").exists():  # experiments go on beside the ledger
        return None
    return cache_folder() / "ledger-answers", answer_name(place, state, *rests_on)


def _ledger_state(place: str) -> tuple[int, ...] | None:
    """The same as long as nothing is written into a ledger that is a file; None: it is none, or is written just now."""
    path = Path(place).expanduser()
    try:
        facts = path.stat()
    except OSError:
        return None
    if "://" in place or path.with_name(f"{path.name}.wal").exists():
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def add_outcomes(store: "Store", paths: Sequence[Path], problems: list[Problem]) -> None:
    """What came of the tasks, beside the logs; problems go to the list.

    Raises:
        UserError: there is no such file.
    """
    from modicum.importers.outcomes.outcome_file import read_outcomes

    for path in paths:
        if not path.exists():
            raise UserError(f"there is no file {path}")
        rows = list(read_outcomes(path))
        store.append_records(OUTCOMES, [row for row in rows if not isinstance(row, Problem)])
        problems += [row for row in rows if isinstance(row, Problem)]
