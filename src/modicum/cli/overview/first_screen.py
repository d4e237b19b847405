"""`modicum` alone: what was spent, on what, and what to do about it, over the agent logs of this home directory.

The bill is shown first, since it takes half a second; findings need the text of the logs to be counted, which takes
longer. What only comparing texts shows (results that nothing referred to, what rules would cut) is left to the audit.
"""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Basis, Problem, UserError
from modicum.calls.words.percentages import percent
from modicum.cli.inputs.found_logs import find_logs
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.inputs.log_sets import find_log_set
from modicum.cli.shared_options import LogOptions
from modicum.cli.terminal import output
from modicum.insights.scoping.time_span import EVER, NEVER
from modicum.library import resources
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from modicum.cli.inputs.log_sets import LogSet
    from modicum.insights.audit import Audit
    from modicum.insights.bill import Bill, BillLine
    from modicum.metering.prices import PriceBook

MODELS_SHOWN = 3
PARTS_SHOWN = 4
MORE = (
    ("modicum audit --found", "every finding, those too that only comparing texts shows; why caches broke"),
    ("modicum bill --found --by day", "the bill by day; also by project, agent, week"),
    ("modicum audit --found --html audit.html", "the audit as a page with charts"),
)
"""The three commands for more."""


def show_first_screen() -> None:
    """Prints the screen.

    Raises:
        UserError: there are logs, and none that can be read.
    """
    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    prices = resources.load_prices(None, settings)
    paths = tuple(find_logs())
    logs = find_log_set(paths, None, prices, watches_text=False)
    problems: list[Problem] = []
    _print_bill(logs, prices, zone, problems)
    sys.stdout.flush()  # the rest takes longer
    try:
        _print_findings(paths, logs, zone)
    except UserError as error:
        output.print_text(f"no findings: {error}")
    click.echo()
    width = max(len(words) for words, _ in MORE)
    for words, what in MORE:
        output.print_text(f"  {words:{width}}  {what}")
    print_problems(problems, strict=False)


@dataclass(frozen=True)
class _Spent:
    bill: "Bill"
    first: date | None
    """Day of the first call, in the user's zone; None: there is none."""
    last: date | None
    problems: list[Problem]


def _print_bill(logs: "LogSet", prices: "PriceBook", zone: "ZoneInfo", problems: list[Problem]) -> None:
    spent = _recall_or_count(logs, prices, zone)
    problems += spent.problems
    total = spent.bill.total
    when = "" if spent.first is None else f", {spent.first:%Y-%m-%d} to {spent.last:%Y-%m-%d} ({zone.key})"
    output.print_text(f"spent: {cost_words(total)} in {output.number_of(total.calls, 'call')}{when}")
    for row in spent.bill.rows[:MODELS_SHOWN]:
        of_all = output.share(row.cost_usd, total.cost_usd or 0)
        output.print_text(f"  {row.name or '(no model named)'}: {cost_words(row)}{of_all and f' ({of_all})'}")
    if (more := len(spent.bill.rows) - MODELS_SHOWN) > 0:
        output.print_text(f"  and {output.number_of(more, 'more model')}")


def _recall_or_count(logs: "LogSet", prices: "PriceBook", zone: "ZoneInfo") -> _Spent:
    """The bill of these logs; recalled where no file changed since it was counted."""
    from modicum.cli.inputs.log_sets import program_version
    from modicum.cli.inputs.saved_answers import answer_name, recall_answer, save_answer
    from modicum.insights.bill import Bill

    if logs.folder is None or not logs.marks:
        return _count(logs, prices, zone)
    folder = logs.folder / "answers"
    name = answer_name("bill by model", logs.state, prices.version, program_version(), zone.key)
    known = recall_answer(folder, name, tuple[Bill, date | None, date | None, list[Problem]])
    if known is not None:
        return _Spent(*known)
    spent = _count(logs, prices, zone)
    save_answer(folder, name, (spent.bill, spent.first, spent.last, spent.problems))
    return spent


def _count(logs: "LogSet", prices: "PriceBook", zone: "ZoneInfo") -> _Spent:
    from modicum.importers.format import Reading
    from modicum.insights.bill import build, make_cells
    from modicum.ledger.booking import book_all, newest

    problems = list(logs.problems)
    entries = list(newest(book_all(read_logs(logs.files, Reading(), logs.source, problems), prices)))
    prices.save()
    bill = build(list(make_cells(entries, "model", "", zone)), "model")
    days = [entry.call.started.astimezone(zone).date() for entry in entries]
    return _Spent(bill, min(days, default=None), max(days, default=None), problems)


def cost_words(line: "BillLine") -> str:
    """`at least $876.74`, `about $8.09`, `$0.37`, or that it is not known."""
    if line.cost_usd is None:
        return "no price is known"
    before = {Basis.LOWER_BOUND: "at least ", Basis.ESTIMATED: "about "}.get(line.basis, "")
    return before + output.dollars(line.cost_usd)


def _print_findings(paths: tuple[Path, ...], logs: "LogSet", zone: "ZoneInfo") -> None:
    from modicum.cli.inputs.audit_answers import AuditQuestion, answer_audit

    question = AuditQuestion(
        options=LogOptions(paths=paths), paths=paths, span=(EVER, NEVER), zone=zone, watches_text=False
    )
    found = answer_audit(question, read_settings(), logs).audit
    _print_parts(found)
    _print_steps(found)


def _print_parts(found: "Audit") -> None:
    from modicum.reports.kind_words import name_of_kind

    whole = float(found.rent.cost_usd or 0)
    parts = [part for part in found.rent.parts if part.cost_usd]
    words = [f"{name_of_kind(part.name)} {output.share(part.cost_usd, whole)}" for part in parts[:PARTS_SHOWN]]
    if words:
        output.print_text(f"on what: {', '.join(words)}")


def _print_steps(found: "Audit") -> None:
    from modicum.cli.terminal.audit_steps import STEPS_SHOWN, print_step
    from modicum.cli.terminal.audit_what_ifs import format_saving

    own = [step for step in found.steps if step.who == "you"][:STEPS_SHOWN]
    rows = {row.name: row for row in found.findings}
    if own or found.first_steps:
        output.print_text("\nto do first:")
    for number, step in enumerate(own, 1):
        print_step(number, step)
    for number, name in enumerate([] if own else found.first_steps, 1):
        row = rows[name]
        bound = "" if row.marginal_usd is not None else "at most "
        output.print_text(
            f"  {number}. {row.title} ({row.id}): saves {bound}{format_saving(row.saving_usd)}, "
            f"{percent(row.saving_share or 0)}"
        )
        output.print_text(f"     {row.remedy}")
