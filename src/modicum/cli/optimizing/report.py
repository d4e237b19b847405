"""`modicum optimize report`: what chosen rules did, by the tasks that were held out of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.terminal import output
from modicum.library import resources
from modicum.settings import Settings, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.experiments.grading import SpendComparison
    from modicum.experiments.rule_arms import RuleArms

MARGIN = 0.05


@dataclass(frozen=True, kw_only=True)
class ReportOptions(shared.LedgerOptions, shared.SpanOptions):
    outcome: str
    margin: float
    as_json: bool


@click.command()
@click.option("--outcome", default="", metavar="NAME", help="The outcome that grades tasks. Default: the only one.")
@click.option("--margin", default=MARGIN, show_default=True, help="The loss of outcome that you accept.")
@shared.span_options("tasks that began in it")
@shared.json_option
@shared.ledger_option
@shared.pass_options(ReportOptions)
def report(options: ReportOptions) -> None:
    """Compare tasks that had a chosen rule with those that were held out of it, by lot.

    Rules, pings, times to live, waits, guards and caches that are chosen leave a share of tasks alone (hold_out). Both
    arms are in the ledger, whether a rule acted or not, so what differs is what the rule did.

    \b
    Examples:
      modicum optimize report
      modicum optimize report --since 30d --outcome resolved --json
    """
    from modicum.experiments.rule_arms import report_rules
    from modicum.ledger.outcomes import only_outcome

    settings = read_settings()
    span = options.span(user_zone(settings.timezone).zone)
    with resources.open_ledger(options.ledger_url, settings) as store:
        outcome = only_outcome(store, options.outcome)
        rows = report_rules(store, span, hold_outs_of(settings), outcome=outcome, margin=options.margin)
    if options.as_json:
        output.print_json({"outcome": outcome or None, "rules": [_document(row) for row in rows]})
    elif not rows:
        output.print_text(
            "no task of this time has an arm: choose a rule (on = [...], keep_warm, cache_ttl in [optimize]) with a "
            "hold_out above 0, and let calls name their task (x-modicum-task, or a session)"
        )
    else:
        _print(rows, outcome)


def hold_outs_of(settings: Settings) -> dict[str, float]:
    """The share of tasks that the settings hold out, by rule; where rows differ, that of the first with one."""
    from modicum.optimizers.all_rules import RULES
    from modicum.optimizers.rule_choice import AGENT_GUARD, BEGINNINGS, CACHE_TTL, KEEP_WARM

    names = [*(rule.name for rule in RULES), KEEP_WARM, CACHE_TTL, BEGINNINGS]
    found = dict.fromkeys(names, settings.optimize.hold_out)
    for name, rows in (
        (AGENT_GUARD, settings.agent_guard),
        ("reply_cache", settings.reply_cache),
        ("semantic_cache", settings.semantic_cache),
    ):
        found[name] = next((row.hold_out for row in rows if row.hold_out), 0.0)
    return found


def _document(row: "RuleArms") -> dict[str, object]:
    from modicum.cli.experiments.status import status_document

    graded = status_document(row.experiment, row.grade)
    document = {key: value for key, value in graded.items() if key not in {"tag", "verifier"}}
    lot = {"hold_out": row.experiment.hold_out, "note": row.note, "tasks_of_both_arms": row.tasks_of_both}
    return {"rule": row.rule, **lot, **document}


def _print(rows: "list[RuleArms]", outcome: str) -> None:
    from modicum.experiments.experiment import Arm

    output.print_table(
        ["rule", "tasks with", "held out", "dollars of a task", "effective tokens"],
        [
            [
                row.rule,
                output.count(row.grade.tasks[Arm.CHANGED]),
                output.count(row.grade.tasks[Arm.HOLD_OUT]),
                _spend(row.grade.cost),
                _spend(row.grade.tokens),
            ]
            for row in rows
        ],
    )
    output.print_text("  of what a task takes that is held out, 95 % interval in brackets: below 100 % the rule saves")
    for row in rows:
        for line in _lines(row, outcome):
            output.print_text(f"  {row.rule}: {line}")


def _lines(row: "RuleArms", outcome: str) -> list[str]:
    found = row.grade
    lines = [f"no interval of dollars: {found.cost.no_interval}"] if found.cost.no_interval else []
    lines += [f"{outcome}: {found.why}"] if outcome else []
    lines += [one for one in found.remarks if one != found.why]
    lines += [row.note] if row.note else []
    if row.tasks_of_both:
        lines.append(f"{number_of(row.tasks_of_both, 'task')} had both arms, since the settings changed: left out")
    return lines


def _spend(spend: "SpendComparison") -> str:
    if spend.ratio is None:
        return "unknown"
    if spend.low is None or spend.high is None:
        return percent(spend.ratio, 0)
    return f"{percent(spend.ratio, 0)} [{percent(spend.low, 0)}, {percent(spend.high, 0)}]"
