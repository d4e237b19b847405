"""What `modicum advise` prints."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click
import msgspec

from modicum.calls import Problem
from modicum.calls.outside.one_line import one_line
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output
from modicum.insights.advice.call_kinds import CallKind
from modicum.insights.advice.cheaper_models import CandidateEvidence, CheaperCandidate, KindAdvice
from modicum.insights.advice.own_machine import OwnMachine, OwnMachineCost, price_on_own_machine
from modicum.insights.advice.trial_commands import write_own_machine, write_price_look, write_trial
from modicum.metering.prices import PriceBook

CEILING = (
    "A saving is at most: these calls at the candidate's prices of their days, with as many tokens, and as many of "
    "them from a cache, as there were. 'cold': nothing comes from a cache. Another model counts the same text "
    "differently and may need more calls."
)
NO_CLAIM = "Only what is proven here says that outcomes hold, and over all tasks, not for one kind of call."
RULES = [CEILING, NO_CLAIM]


def advice_document(
    advice: Sequence[KindAdvice],
    kinds: int,
    prices: PriceBook,
    problems: Sequence[Problem],
    machine: OwnMachine | None = None,
) -> dict[str, Any]:
    """The one JSON object of `modicum advise --json`; docs/advise.md explains its fields."""
    now = datetime.now(UTC)
    return {
        "kinds": kinds,
        "rules": RULES,
        "rows": [
            {
                **msgspec.structs.asdict(each.kind),
                "why_no_candidate": each.why_none,
                "candidates": [
                    {**msgspec.structs.asdict(one), "command": " ".join(_command(each.kind, one)) or None}
                    for one in each.candidates
                ],
                "own_machine": None if machine is None else price_on_own_machine(each.kind, machine),
                "own_machine_commands": [" ".join(words) for words in write_own_machine(each.kind, prices, now)],
            }
            for each in advice
        ],
        "problems": problem_rows(problems),
    }


def advice_rows(advice: Sequence[KindAdvice]) -> list[dict[str, Any]]:
    """A row for each candidate, its kind's fields beside it; one for a kind that has none."""
    rows: list[dict[str, Any]] = []
    for each in advice:
        kind = {name: getattr(each.kind, name) for name in each.kind.__struct_fields__}
        rows += [{**kind, "candidate": one, "command": " ".join(_command(each.kind, one))} for one in each.candidates]
        if not each.candidates:
            rows.append({**kind, "why_no_candidate": each.why_none})
    return rows


def _command(kind: CallKind, one: CheaperCandidate) -> list[str]:
    """What to type next of a candidate, in pieces; nothing where it was tried already."""
    if one.evidence is CandidateEvidence.SAME_MODEL:
        return write_price_look(one.provider, one.model)
    is_open = one.evidence in {CandidateEvidence.TRIAL, CandidateEvidence.LIKELY}
    return write_trial(kind, one.provider, one.model) if is_open else []


def print_advice(
    advice: Sequence[KindAdvice], kinds: int, prices: PriceBook, machine: OwnMachine | None = None
) -> None:
    columns = ["#", "model", "agent", "tools", "calls", "prompt", "reply", "cost", "share", "outcomes"]
    rows = [_row(number, each.kind) for number, each in enumerate(advice, start=1)]
    if not any(row[-1] for row in rows):  # no task of these calls has an outcome
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    output.print_table(
        columns,
        rows,
        left=4,
        least_valued=["reply", "share", "prompt", "outcomes"],
    )
    if kinds > len(advice):
        click.echo(f"... and {output.number_of(kinds - len(advice), 'more kind')}; --top {kinds} has all")
    click.echo("prompt, reply: tokens of a call on average")
    for number, each in enumerate(advice, start=1):
        click.echo()
        _print_kind(number, each)
        if machine is not None and (cost := price_on_own_machine(each.kind, machine)) is not None:
            output.print_text(f"   on a machine of your own: {_describe_own_machine(cost)}")
    click.echo()
    if own := write_own_machine(advice[0].kind, prices, datetime.now(UTC)):
        output.print_text("On a machine of your own, to be compared with the figures of kind 1:")
        for words in own:
            _print_command(words)
    for rule in RULES:
        output.print_text(rule)


def _row(number: int, kind: CallKind) -> list[str]:
    calls = max(kind.calls, 1)
    return [
        str(number),
        kind.model or "(none)",
        kind.agent,
        kind.tools,
        output.count(kind.calls),
        output.count(kind.prompt_tokens // calls),
        output.count(kind.completion_tokens // calls),
        output.dollars(kind.cost_usd),
        "" if kind.share_of_cost is None else percent(kind.share_of_cost),
        f"{kind.tasks_reached} of {kind.tasks_with_outcome}" if kind.tasks_with_outcome else "",
    ]


def _print_kind(number: int, each: KindAdvice) -> None:
    kind = each.kind
    output.print_text(f"{number}. {one_line(kind.model) or '(none)'}, {one_line(kind.agent)}, tools: {kind.tools}")
    if kind.calls_unpriced:
        output.print_text(f"   {kind.calls_unpriced:,} of its calls have no known price and are in no figure")
    if each.why_none:
        output.print_text(f"   no candidate: {each.why_none}")
    for one in each.candidates:
        name = one_line(f"{one.model} at {one.provider}" if one.evidence is CandidateEvidence.SAME_MODEL else one.model)
        compared = (
            ""
            if one.calls_compared == kind.calls
            else f", {number_of(one.calls_compared, 'call that has', 'calls that have')} both prices"
        )
        output.print_text(
            f"   {one.evidence}: {name} saves at most {output.dollars(one.saving_at_most_usd)} of "
            f"{output.dollars(one.booked_usd)} ({_cold(one.saving_cold_usd)}{compared}); {one_line(one.why)}"
        )
        if words := _command(kind, one):
            _print_command(words)


def _describe_own_machine(cost: OwnMachineCost) -> str:
    energy = "" if cost.kwh is None else f" and {cost.kwh:.3g} kWh"
    share = cost.break_even_share
    worth = (
        "dearer however busy it is"
        if share is None
        else f"the same as booked if such calls fill {100 * share:.2g} % of the time that is paid"
    )
    return (
        f"{cost.model}, busy {cost.busy_hours:.2g} hours: {output.dollars(cost.usd_at_full_load)}{energy} at full "
        f"load, of {output.dollars(cost.booked_usd)} booked; {worth}. Whether it does as well is not known"
    )


def _cold(usd: Decimal) -> str:
    return f"cold: {output.dollars(usd)}" if usd >= 0 else f"cold: costs {output.dollars(-usd)} more"


def _print_command(words: Sequence[str]) -> None:
    click.echo(" \\\n".join(f"     {'' if number == 0 else '  '}{one_line(part)}" for number, part in enumerate(words)))
