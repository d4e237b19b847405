"""`modicum cache`: whether prompt caches are warm, and what the next turn costs if they are not."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import Call, Cost, Entry, Problem, UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.settings import Settings, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.cache_replay.cache_status import CacheState, CacheUse

LOOK_BACK = timedelta(hours=24)
MOST_ROWS = 10
MOST_STDIN = 1_000_000
"""Characters: an agent hands over a few hundred."""


@dataclass(frozen=True, kw_only=True)
class StatusOptions(shared.LogOptions, ChoiceOptions):
    found: bool
    from_stdin: bool
    warn_over: float | None


@click.group(cls=WholeLines)
def command() -> None:
    """Show whether prompt caches are warm, and what the next turn costs cold.

    \b
    Examples:
      modicum cache status
      modicum cache status --found
    """


@command.command()
@click.option(
    "--stdin",
    "from_stdin",
    is_flag=True,
    help="One line about the session that an agent names on stdin, as for its status lines and hooks.",
)
@click.option(
    "--warn-over",
    type=Quantity(0, 1_000_000),
    metavar="USD",
    help="Say something only of a cold cache that makes the next turn so much dearer.",
)
@choice_options
@shared.found_option
@shared.log_options
@shared.pass_options(StatusOptions)
def status(options: StatusOptions) -> None:
    """Show of each conversation of the last day whether its prompt cache is warm, and what the next turn costs.

    From agents' logs, or from the ledger where none are named. Nothing is sent, and nothing is changed.

    \b
    Examples:
      modicum cache status ~/.claude/projects
      modicum cache status --stdin                     a status line of Claude Code
      modicum cache status --stdin --warn-over 0.50    a hook that warns before a dear turn
    """
    from modicum.insights.cache_replay.cache_status import cache_states

    settings = read_settings()
    problems: list[Problem] = []
    now = datetime.now(UTC)
    uses = _find_uses(options, settings, problems, now - LOOK_BACK)
    prices = resources.load_prices(options.price_path, settings)
    states = [state for state in cache_states(uses, now, prices) if not state.agent]
    prices.save()
    if options.warn_over is not None:
        states = [one for one in states if not one.is_warm and (one.lost_usd or 0) >= options.warn_over]
    if options.as_json:
        output.print_json({"caches": [_row(state) for state in states]})
    elif options.from_stdin:
        if states:
            click.echo(status_line(states[0]))
    else:
        _print_states(states, "these logs" if options.paths or options.found else "the ledger")
    print_problems(problems, strict=options.strict, quiet=options.as_json or options.from_stdin)


def status_line(state: "CacheState") -> str:
    """One line for people: warm or cold, since when, and what the next turn costs."""
    tokens = f"{number_of(state.cached_tokens, 'token')}"
    if state.is_warm:
        cold = "" if state.cold_usd is None else f", cold {output.dollars_of(state.cold_usd)}"
        warm = "" if state.warm_usd is None else f"; next turn {output.dollars_of(state.warm_usd)}{cold}"
        return f"cache warm, {_minutes(state.left_s)} left ({tokens}{warm})"
    dear = ""
    if state.cold_usd is not None and state.warm_usd is not None:
        dear = f": {output.dollars_of(state.cold_usd)} instead of {output.dollars_of(state.warm_usd)}"
    return f"cache cold for {_minutes(state.age_s - state.ttl_s)}; the next turn writes {tokens} again{dear}"


def _find_uses(
    options: StatusOptions, settings: Settings, problems: list[Problem], since: datetime
) -> "Iterable[CacheUse]":
    from modicum.importers.format import Reading
    from modicum.insights.cache_replay.cache_status import CacheUse, uses_of

    paths = options.paths
    if options.from_stdin:
        paths = (_named_on_stdin(),)
    elif options.found:
        from modicum.cli.inputs.found_logs import find_home_logs

        paths = (*paths, *_written_since(find_home_logs(), since))
    if not paths and not options.found:
        zone = user_zone(settings.timezone).zone
        with (
            resources.open_ledger(options.ledger_url, settings) as whole,
            choose_from(whole, options.conditions(), zone) as store,
        ):
            return [CacheUse.of_row(row) for row in store.ask("cache_newest", since=since)]
    calls = list(read_logs(paths, Reading(), options.source, problems)) if paths else []
    return uses_of(_chosen(_newest(calls, since), options, settings))


def _chosen(calls: Iterable[Call], options: StatusOptions, settings: Settings) -> list[Call]:
    from modicum.insights.scoping.call_choice import choose_entries

    entries = [Entry(call, Cost.unknown()) for call in calls]  # which calls: what they cost plays no part
    chosen = choose_entries(entries, options.conditions(), user_zone(settings.timezone).zone)
    return [entry.call for entry in chosen]


def _newest(calls: Iterable[Call], since: datetime) -> Iterable[Call]:
    """Each call once, as the record of it that stands has it."""
    from modicum.ledger.booking import newest_calls

    return newest_calls(call for call in calls if call.started >= since)


def _written_since(paths: Iterable[Path], since: datetime) -> list[Path]:
    from modicum.importers.folders import log_files

    files = [found for path in paths for found in log_files(path) if isinstance(found, Path)]
    return [path for path in files if path.stat().st_mtime >= since.timestamp()]


def _named_on_stdin() -> Path:
    """The transcript that an agent names.

    Raises:
        UserError: it names none.
    """
    try:
        handed_over: Any = msgspec.json.decode(sys.stdin.buffer.read(MOST_STDIN))
        return Path(handed_over["transcript_path"])
    except (msgspec.DecodeError, KeyError, TypeError):
        raise UserError(
            "no transcript is named on stdin: an agent hands over JSON with 'transcript_path' to status lines and "
            "hooks; to look at logs yourself, type 'modicum cache status ~/.claude/projects'"
        ) from None


def _print_states(states: "list[CacheState]", place: str) -> None:
    if not states:
        hint = "; name logs, or try --found" if place == "the ledger" else "; what is older is cold"
        output.print_text(f"no conversation of the last 24 hours in {place} used a prompt cache{hint}")
        return
    rows = [
        [
            state.task[:24],
            state.model,
            f"warm, {_minutes(state.left_s)} left" if state.is_warm else "cold",
            _minutes(state.age_s),
            output.count(state.cached_tokens),
            output.dollars_of(state.warm_usd),
            output.dollars_of(state.cold_usd),
        ]
        for state in states[:MOST_ROWS]
    ]
    output.print_table(["task", "model", "cache", "age", "tokens", "next turn warm", "next turn cold"], rows, left=3)
    if len(states) > MOST_ROWS:
        click.echo(f"and {len(states) - MOST_ROWS:,} more; --json lists them all")


def _minutes(seconds: float) -> str:
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02} min"
    return f"{int(seconds // 60)}:{int(seconds % 60):02}"


def _row(state: "CacheState") -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(state)
    return {**row, "lost_usd": state.lost_usd}
