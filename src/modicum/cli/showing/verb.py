"""`modicum show`: a call, a session or a finding, closely: calls, cost, lost caches, and what stood between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from modicum.calls import Problem, UserError
from modicum.calls.outside.one_line import one_line
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.anatomy import open_ledger_or_logs
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.terminal import output
from modicum.library import resources
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.close_view.shown_calls import CloseView, ShownCall, ShownPart
    from modicum.ledger.store import Store

MOST_CHARACTERS = 400
"""Of one part's text, unless all is asked for."""
MOST_LINES = 12
PARTS_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class CloseViewOptions(shared.LogOptions, shared.SpanOptions):
    name: str
    found: bool
    text: bool
    whole: bool
    most: int
    as_csv: bool


@click.command()
@click.argument("name", metavar="CALL|SESSION|FINDING")
@click.option("--text", is_flag=True, help="Show the text, too, from the logs that are named; the ledger has none.")
@click.option("--whole", is_flag=True, help="With --text: all of it, not the first lines of each part.")
@click.option(
    "--most", default=60, show_default=True, metavar="N", type=click.IntRange(min=1), help="Calls to list at most."
)
@shared.span_options()
@shared.found_option
@shared.csv_option
@shared.log_options
@shared.pass_options(CloseViewOptions)
def command(options: CloseViewOptions) -> None:
    """Show one call, session or finding: its calls, tokens, cost, lost caches, and what stood between them.

    A finding is named as the audit prints it (B3), a call or session by its id or how that begins. Without PATHS the
    ledger is asked, which holds no text.

    \b
    Examples:
      modicum show B3 --found
      modicum show 6113e919 ~/.claude/projects
      modicum show msg_01QEj13D ~/.claude/projects --text
      modicum show C2 --json
    """
    from modicum.cli.terminal.csv_rows import print_struct_rows
    from modicum.insights.close_view.shown_calls import show
    from modicum.insights.history import load

    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    paths = options.paths
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs

        paths = (*paths, *find_logs())
    if options.text and not paths:
        raise UserError("--text shows what stands in logs: name them, or '--found'; the ledger holds no text")
    if options.text and options.as_csv:
        raise UserError("--csv has a row for each call and no text; leave out --text, or take --json")
    problems: list[Problem] = []
    texts: Mapping[str, list[str]] = {}
    with open_ledger_or_logs(paths, options, settings, problems) as store:
        view = show(load(store, *options.span(zone)), options.name, options.most)
        if options.text:
            texts = _read_texts(store, view, paths, options.source)
    if options.as_json:
        output.print_json(_document(view, texts, problems))
    elif options.as_csv:
        print_struct_rows(view.calls)
    else:
        _print_view(view, zone)
        if options.text:
            _print_texts(view, texts, whole=options.whole)
        elif paths:
            output.print_text("\n--text shows what was said, from these logs")
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _document(view: "CloseView", texts: Mapping[str, list[str]], problems: Sequence[Problem]) -> dict[str, object]:
    import msgspec

    document = msgspec.structs.asdict(view)
    document["texts"] = texts
    return {**document, "problems": problem_rows(problems)}


def _read_texts(
    store: "Store", view: "CloseView", paths: Sequence[Path], source: str | None
) -> Mapping[str, list[str]]:
    """By call the texts of the parts that it brought, in their order; empty where the log has none."""
    from modicum.importers.folders import log_files
    from modicum.importers.part_texts import read_part_texts
    from modicum.metering.digests import Digester

    digests = {
        call.call_id: [bytes.fromhex(row["digest"]) for row in store.ask("call_segments", entry_id=call.call_id)]
        for call in view.calls
    }
    files = [found for path in paths for found in log_files(path) if isinstance(found, Path)]
    names = {call.session for call in view.calls} | {call.call_id.rpartition(":")[2] for call in view.calls}
    digests_in_all = {digest for parts in digests.values() for digest in parts if digest}
    texts = read_part_texts(files, source, Digester(resources.lend_digest_key()), digests_in_all, names)
    return {call_id: [texts.get(digest, "") for digest in parts] for call_id, parts in digests.items()}


def _sum_of(view: "CloseView") -> str:
    return f"{output.number_of(view.calls_in_all, 'call')}, {output.dollars_of(view.cost_usd)}"


def _print_view(view: "CloseView", zone: ZoneInfo) -> None:
    if view.what == "finding":
        output.print_text(f"{view.name} {view.title}: {_sum_of(view)}")
        output.print_text(view.explanation)
    elif view.what == "session":
        output.print_text(f"session {view.name}: {_sum_of(view)}")
    for place, calls in groupby(view.calls, key=_place):
        output.print_text(f"\n{place}")
        _print_calls(list(calls), view, zone)
    if more := view.calls_in_all - len(view.calls):
        if view.what == "finding":
            output.print_text(f"these are its examples, of {number_of(view.calls_in_all, 'call')}")
        elif view.what == "session":
            output.print_text(f"... and {number_of(more, 'more call')}; --most {view.calls_in_all} shows all")
    if view.carried:
        _print_carried(view)


def _place(call: "ShownCall") -> str:
    program = f"{call.source} {call.client_version}".strip()
    words = [f"session {call.session}" if call.session else "", f"in {call.project}" if call.project else ""]
    words += [f"agent {call.agent}" if call.agent else "", f"{call.model or 'no model named'}, {program}"]
    return " ".join(filter(None, words))


def _print_calls(calls: "Sequence[ShownCall]", view: "CloseView", zone: ZoneInfo) -> None:
    rows = [
        [
            f"{'>' * (call.call_id == view.name)}{call.started.astimezone(zone):%m-%d %H:%M:%S}",
            call.call_id,
            "" if call.gap_s is None else _duration(call.gap_s),
            output.count(call.prompt_tokens),
            output.count(call.cache_read),
            output.count(call.cache_written),
            output.count(call.output),
            output.dollars_of(call.cost_usd),
        ]
        for call in calls
    ]
    columns = [f"began ({zone.key})", "call", "after", "prompt", "read", "written", "output", "cost"]
    output.print_table(columns, rows, left=2, least_valued=["output", "written", "read", "after"])
    for call in calls:
        between = _between(call.parts)
        lost = f"cache lost, {number_of(call.lost_tokens, 'token')}: {call.lost}" if call.lost else ""
        events = f"events: {', '.join(call.events)}" if call.events else ""
        failed = "" if call.status == "ok" else f"status {call.status}"
        if words := "; ".join(filter(None, [between and f"came with {between}", lost, events, failed])):
            output.print_text(f"  {call.call_id} {words}")


def _between(parts: "Sequence[ShownPart]") -> str:
    """`2 tool results (Read, Bash) 1,204 tokens, ...`, the largest first."""
    from modicum.reports.kind_words import name_of_kind

    kinds: dict[str, list[ShownPart]] = {}
    for part in parts:
        kinds.setdefault(part.kind, []).append(part)
    words = []
    for kind, group in sorted(kinds.items(), key=lambda item: -sum(part.tokens for part in item[1])):
        tools = ", ".join(dict.fromkeys(part.tool for part in group if part.tool))
        tokens = sum(part.tokens for part in group)
        failed = sum(part.is_error for part in group)
        words.append(
            f"{name_of_kind(kind)}{f' ({tools})' if tools else ''} {number_of(tokens, 'token')}"
            + (f", {failed} failed" if failed else "")
        )
    more = len(words) - PARTS_SHOWN
    return ", ".join(words[:PARTS_SHOWN]) + (f" and {number_of(more, 'more kind')}" if more > 0 else "")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _print_carried(view: "CloseView") -> None:
    from modicum.reports.kind_words import name_of_kind

    whole = sum(row.tokens for row in view.carried)
    click.echo()
    output.print_table(
        ["its prompt held", "parts", "tokens", "share", ""],
        [
            [
                name_of_kind(row.kind),
                output.count(row.segments),
                output.count(row.tokens),
                output.share(row.tokens, whole),
                output.bar(row.tokens, whole),
            ]
            for row in view.carried
        ],
    )


def _print_texts(view: "CloseView", texts: Mapping[str, list[str]], *, whole: bool) -> None:
    """What was said, part by part, as the log has it; nothing in it can steer a terminal."""
    from modicum.reports.kind_words import name_of_kind

    for call in view.calls:
        output.print_text(f"\ncame with {call.call_id}:")
        for part, text in zip(call.parts, texts.get(call.call_id, ()), strict=False):
            tool = f" {part.tool}" if part.tool else ""
            output.print_text(f"  {name_of_kind(part.kind)}{tool}, {number_of(part.tokens, 'token')}")
            if not text:
                output.print_text("    (no text of it in these logs)")
                continue
            lines = text.splitlines()
            shown = lines if whole else text[:MOST_CHARACTERS].splitlines()[:MOST_LINES]
            for line in shown:
                click.echo(f"    | {one_line(line.expandtabs())}")
            if (left := len(text) - sum(len(line) + 1 for line in shown) + 1) > 1:
                click.echo(f"    ... {number_of(left, 'more character')}; --whole shows them")
