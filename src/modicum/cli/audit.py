"""`modicum audit`: where the money went, what bought nothing, and what each change would have saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from modicum.calls import Basis, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.terminal import output
from modicum.cli.terminal.audit_causes import print_causes
from modicum.cli.terminal.audit_context_sizes import print_context_sizes
from modicum.cli.terminal.audit_steps import print_beginnings, print_steps
from modicum.cli.terminal.audit_what_ifs import format_saving, print_waiting, print_what_ifs
from modicum.cli.terminal.page_file import check_page_place, write_page
from modicum.reports.figures import uncosted_note
from modicum.settings import ledger_place, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.cli.inputs.audit_answers import AuditAnswer
    from modicum.insights.advice.examples import ExampleCall
    from modicum.insights.audit import Audit, CapPoint, FindingResult
    from modicum.insights.changes.edits_by_outcome import EditsByOutcome
    from modicum.insights.changes.what_if_results import WhatIfResult
    from modicum.insights.replay import Fidelity

EXAMPLES_SHOWN = 2

CLASSES = {
    "exact": "nobody would miss it",
    "replayed": "replayed under the provider's cache rules",
    "upper_bound": "at most this; in no sum",
    "headroom": "touches what the model sees or which model answers: prove it with an experiment; in no sum",
    "info": "a figure to know",
}


@dataclass(frozen=True, kw_only=True)
class AuditOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    what_ifs: tuple[str, ...]
    only: tuple[str, ...]
    found: bool
    outcome_paths: tuple[str, ...]
    html_path: Path | None
    as_csv: bool
    prices_of: str | None


@click.command()
@click.option(
    "--what-if", "what_ifs", multiple=True, metavar="CHANGE", help="Replay a change; may be given several times."
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Look for this finding only (B3, or ttl_expiry); may be given several times.",
)
@shared.span_options()
@choice_options
@shared.found_option
@click.option(
    "--outcomes",
    "outcome_paths",
    multiple=True,
    metavar="FILE",
    help="File with outcomes of the tasks in the logs; may be given several times.",
)
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a page with charts; - prints it.",
)
@shared.csv_option
@shared.prices_of_option
@shared.log_options
@shared.pass_options(AuditOptions)
def command(options: AuditOptions) -> None:
    """Show where the money went, what was wasted, and what each change would have saved.

    Each saving is a replay of your own history under the provider's cache rules. Changes for --what-if (docs/audit.md):
    cache_ttl=5m|1h|off, cap_tool_results=TOKENS, cap_output=TOKENS, model:NAME=OTHER, tier=batch|flex|priority,
    keep_warm=auto, rules=lossless|all|NAME, compact_at=TOKENS, new_session=MINUTES, subagents=CALLS.

    \b
    Examples:
      modicum audit
      modicum audit ~/.claude/projects --what-if cache_ttl=1h --what-if cap_tool_results=2000
      modicum audit --what-if model:claude-opus-4-5=claude-haiku-4-5 --since 7d
      modicum audit --only B3 --json
      modicum audit ~/.claude/projects --outcomes resolved.csv --html audit.html
      modicum audit --prices-of today --what-if keep_warm=5m:3
    """
    from modicum.cli.inputs.audit_answers import AuditQuestion, answer_audit

    _check_names(options)
    check_page_place(options.html_path, prints_rows=options.as_json or options.as_csv)
    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    span = options.span(zone)
    paths, outcomes = _find_files(options)
    question = AuditQuestion(
        options=options,
        paths=paths,
        outcomes=outcomes,
        span=span,
        zone=zone,
        only=options.only,
        what_ifs=options.what_ifs,
        prices_of=options.prices_of,
        conditions=options.conditions(),
    )
    found = answer_audit(question, settings)
    place = ", ".join(map(str, paths)) or f"the ledger {options.ledger_url or ledger_place(settings)}"
    _print_answer(found, options, place)


def _print_answer(found: "AuditAnswer", options: AuditOptions, place: str) -> None:
    """As a page, as JSON or as tables."""
    from modicum.cli.experiments.savings import print_savings, savings_document
    from modicum.insights.audit import audit_document

    document = {
        **audit_document(found.audit),
        "prices_of": options.prices_of,
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "place": place,
        "trials": savings_document(found.savings),
        "problems": problem_rows(found.problems),
    }
    if options.html_path:
        from modicum.reports.page import render_page

        write_page(render_page(document), options.html_path)
    if options.as_json:
        output.print_json(document)
    elif options.as_csv:
        print_findings_csv(found.audit)
    elif not options.html_path:
        print_audit(found.audit, options.prices_of)
        if found.savings:
            output.print_text("\nchanges on trial (modicum experiment):")
            print_savings(found.savings)
        if options.found:
            output.print_text("\nthe same as a page with charts: modicum audit --found --html audit.html")
    print_problems(found.problems, strict=options.strict, quiet=options.as_json)


def _find_files(options: AuditOptions) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Logs, and outcomes of the tasks in them.

    Raises:
        UserError: there are outcomes without logs.
    """
    paths, outcomes = options.paths, [Path(name) for name in options.outcome_paths]
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs, find_outcome_files

        paths = (*paths, *find_logs())
        outcomes += find_outcome_files(paths)
    if outcomes and not paths:
        raise UserError("--outcomes goes with logs; 'modicum outcome import' puts outcomes into the ledger")
    return paths, tuple(outcomes)


def _check_names(options: AuditOptions) -> None:
    """Before logs are read, which may take minutes.

    Raises:
        UserError: there is no finding or no change of a name that was given.
    """
    from modicum.insights.audit import check_finding_names
    from modicum.insights.what_if import check_what_if

    check_finding_names(options.only)
    for change in options.what_ifs:
        check_what_if(change)


def print_findings_csv(found: "Audit") -> None:
    """The findings, a row each."""
    from modicum.cli.terminal.csv_rows import print_struct_rows

    print_struct_rows(found.findings, but=("what", "guard", "advice", "waiting"))


def print_audit(found: "Audit", prices_of: str | None = None) -> None:
    _print_spend(found)
    output.print_text(fidelity_line(found.fidelity, is_bound=found.is_bound))
    for one in found.fidelity_by_source:
        if one.is_bound and not found.is_bound:
            output.print_text(f"for {one.source} the replay is off by more: figures that rest on it are bounds")
    _print_findings(found.findings)
    output.print_text(joint_line(found))
    if len(found.beginnings) > 1:
        print_beginnings(found.beginnings)
    _print_rule_savings(found)
    print_causes(found.break_causes)
    _print_first_steps(found)
    if found.what_if:
        print_what_ifs(found)
    print_waiting(found)
    if prices_of:
        output.print_text(f"\nall at the prices of {prices_of}; what is booked stays as it is")
    if found.cap_curve:
        _print_cap_curve(found.cap_curve)
    print_context_sizes(found.context_sizes)
    _print_missing_data(found)


def _print_spend(found: "Audit") -> None:
    from modicum.reports.kind_words import name_of_kind

    whole = float(found.rent.cost_usd or 0)
    rows = [
        [
            name_of_kind(part.name),
            output.count(part.tokens_carried),
            output.dollars_of(part.cost_usd),
            output.share(part.cost_usd, whole),
            output.bar(part.cost_usd, whole),
        ]
        for part in found.rent.parts
    ]
    if found.rent.has_rest:
        rest = found.rent.rest_usd
        rows.append(["(rest)", "", output.dollars_of(rest), output.share(rest, whole), ""])
    output.print_table(
        ["where the money went", "tokens carried", "cost", "share", ""],
        rows,
        footer=["total", "", _total(found), "", ""],
    )
    if found.days:
        first, last = found.days[0].date, found.days[-1].date
        projects = len(found.spend.projects) if found.spend else 0
        output.print_text(
            f"{output.number_of(found.calls, 'call')} of {output.number_of(found.tasks, 'task')} in "
            f"{output.number_of(projects, 'project')}, {first} to {last} "
            f"({found.timezone}; {output.number_of(len(found.days), 'day')} with calls)"
        )
    if found.calls_unpriced:
        output.print_text(uncosted_note(found.calls_unpriced, found.calls))


def _total(found: "Audit") -> str:
    """As the bill marks it: this or more where replies were logged before they were final."""
    mark = {Basis.LOWER_BOUND: ">= ", Basis.ESTIMATED: "~ "}.get(found.spend.basis, "") if found.spend else ""
    return mark + output.dollars(found.rent.cost_usd)


def fidelity_line(fidelity: "Fidelity", *, is_bound: bool) -> str:
    """How well a replay without any change reproduces the record."""
    if not fidelity.calls:
        return "no call has a known price, so nothing can be replayed"
    line = (
        f"replay without changes: total {percent(fidelity.total_error, sign='+')}, "
        f"median task {percent(fidelity.median_task_error)} off the record ({number_of(fidelity.calls, 'call')})"
    )
    if fidelity.unexplained_calls:
        line += (
            f"; {percent(fidelity.unexplained_share)} of the cost is in {fidelity.unexplained_calls:,} cache breaks "
            "that no rule explains, which keep their cost"
        )
    return (
        f"{line}\nthat is more than 2 %, 3 % or, unexplained, 10 %: replayed figures below are bounds"
        if is_bound
        else line
    )


def _print_findings(rows: Sequence["FindingResult"]) -> None:
    shown = [row for row in rows if not row.lacks and (row.calls or row.saving_usd)]
    if not shown:
        output.print_text("\nno waste of the known kinds was found")
        return
    click.echo()
    output.print_table(
        ["finding", "class", "calls", "tokens", "gross", "saves alone", "in the sum"],
        [
            [
                f"{row.id} {row.title}",
                row.finding_class.value.replace("_", " "),
                output.count(row.calls),
                output.count(row.tokens),
                output.dollars_of(row.gross_usd),
                format_saving(row.saving_usd),
                format_saving(row.marginal_usd),
            ]
            for row in shown
        ],
        left=2,
    )
    for name in dict.fromkeys(row.finding_class.value for row in shown):
        output.print_text(f"  {name.replace('_', ' ')}: {CLASSES[name]}")


def joint_line(found: "Audit") -> str:
    return (
        f"all that is exact or replayed, together: {format_saving(found.joint_saving_usd)}, "
        f"{percent(found.joint_saving_share)} of what was spent"
    )


def _print_rule_savings(found: "Audit") -> None:
    """The joint saving of what runs by itself first, chosen sets below it, at the prices of the record and of today."""
    savings, today = found.rule_savings, found.rule_savings.today
    if not savings.rules:
        return
    click.echo()
    sets = (
        ("run by themselves", savings.default, None if today is None else today.default),
        ("chosen: these, with pings", savings.lossless, None if today is None else today.lossless),
        ("chosen: all, with pings", savings.every, None if today is None else today.every),
    )
    output.print_table(
        ["modicum's rules, together", "saves", "share", *([] if today is None else ["today", "share"])],
        [
            [
                what,
                format_saving(one.saving_usd),
                _format_share(one),
                *([] if now is None else [format_saving(now.saving_usd), _format_share(now)]),
            ]
            for what, one, now in sets
        ],
    )
    if today is not None:
        output.print_text(
            f"  of what was spent; today: the same calls at the prices of {today.day}, "
            f"{output.dollars_of(today.cost_usd)} in all. Pings keep caches warm; what agents would have read again of "
            "cuts is not priced"
        )
    click.echo()
    output.print_table(
        ["rule alone (modicum optimize list)", "class", "saves", "share"],
        [
            [one.name, one.finding_class.value.replace("_", " "), format_saving(one.saving_usd), _format_share(one)]
            for one in savings.rules
        ],
    )
    for refused in savings.not_replayed:
        output.print_text(f"  {refused.name}: {refused.why}")
    if savings.by_outcome:
        _print_edits_by_outcome(savings.by_outcome)


def _print_edits_by_outcome(rows: "Sequence[EditsByOutcome]") -> None:
    click.echo()
    output.print_table(
        ["edits by outcome", "tasks passed", "tokens", "share", "tasks failed", "tokens", "share"],
        [
            [
                row.rule,
                output.count(row.tasks_passed),
                output.count(row.tokens_passed),
                "" if row.share_passed is None else percent(row.share_passed),
                output.count(row.tasks_failed),
                output.count(row.tokens_failed),
                "" if row.share_failed is None else percent(row.share_failed),
            ]
            for row in rows
        ],
    )
    output.print_text(
        "  tokens that a rule would have taken out of tool results, and their share of all results: of tasks that "
        "reached an outcome (above 0), and of those that did not. No cause: these tasks ran as their logs have them"
    )


def _format_share(one: "WhatIfResult") -> str:
    if one.saving_share_low is None or one.saving_share_high is None:
        return percent(one.saving_share)
    return f"{percent(one.saving_share_low)} to {percent(one.saving_share_high)}"


def _print_first_steps(found: "Audit") -> None:
    rows = {row.name: row for row in found.findings}
    own = [step for step in found.steps if step.who == "you"]
    if not (own or found.first_steps):
        return
    output.print_text("\nto do first:")
    if own:
        print_steps(found.steps, lambda name: _print_examples(rows[name], found))
        return
    for number, name in enumerate(found.first_steps, 1):
        row = rows[name]
        proof = "" if row.marginal_usd is not None else f" ({row.finding_class.value.replace('_', ' ')})"
        output.print_text(
            f"  {number}. {row.title}: {format_saving(row.saving_usd)}, {percent(row.saving_share or 0)}{proof}"
        )
        output.print_text(f"     {row.remedy}")
        _print_examples(row, found)


def _print_examples(row: "FindingResult", found: "Audit") -> None:
    for call in row.example_calls[:EXAMPLES_SHOWN]:
        output.print_text(f"     look at: {_place_of(call, ZoneInfo(found.timezone))}")


def _place_of(call: "ExampleCall", zone: ZoneInfo) -> str:
    """How a person finds it: when, where, in which session."""
    words = [
        f"{call.started.astimezone(zone):%Y-%m-%d %H:%M}",
        f"in {call.project}" if call.project else "",
        f"session {call.session}" if call.session else "",
        f"({call.call_id})",
    ]
    return " ".join(filter(None, words))


def _print_cap_curve(curve: Sequence["CapPoint"]) -> None:
    click.echo()
    most = max(point.saving_share for point in curve)
    output.print_table(
        ["tool results cut at", "results", "gross", "saves", "share", ""],
        [
            [
                number_of(point.cap_tokens, "token"),
                output.count(point.results),
                output.dollars_of(point.gross_usd),
                format_saving(point.saving_usd),
                percent(point.saving_share),
                output.bar(point.saving_share, most),
            ]
            for point in curve
        ],
    )
    output.print_text("  headroom: what is cut may be read again, which is not counted here")


def _print_missing_data(found: "Audit") -> None:
    lacking = [row for row in found.findings if row.lacks]
    notes = [f"  {row.id} {row.title}: lacks {row.lacks}" for row in lacking]
    if found.calls_without_anatomy:
        notes.append(
            f"  {found.calls_without_anatomy:,} of {number_of(found.calls, 'call')} "
            f"{noun_for(found.calls_without_anatomy, 'has', 'have')} no anatomy (usage only): what their prompts were "
            "made of is not known"
        )
    if found.apart_calls:
        notes.append(
            f"  {number_of(found.apart_calls, 'call stands', 'calls stand')} only in aggregated reports or have no "
            f"usage ({output.dollars_of(found.apart_cost_usd)}): nothing can be found in them"
        )
    if notes:
        output.print_text("\nnot computed:")
        for note in notes:
            output.print_text(note)
