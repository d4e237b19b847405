"""`modicum calibrate`: what a token of ours is in the models you use, from your own records."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from modicum.calls import Call, Problem
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.inputs import token_measures
from modicum.cli.inputs.found_logs import find_home_logs
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.library.paths import check_paths_exist
from modicum.settings import data_folder

if TYPE_CHECKING:
    from modicum.importers.claude_code.calibration_pairs import Step
    from modicum.insights.calibrate import CalibrationComparison, CheckedSteps
    from modicum.metering.calibration import CalibrationPair
    from modicum.metering.claude_tokens import CounterCheck


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the calibration, and do not store it.")
@json_option
def command(paths: tuple[Path, ...], *, dry_run: bool, as_json: bool) -> None:
    """Calibrate token counts of models without a public tokenizer from your own logs.

    The provider counted every prompt; between two calls it grew by what the log shows. Claude Code transcripts are read
    by kind of content, other logs with content (Gemini CLI, recorded bodies, traces) as a whole. From such steps comes
    the ratio between the provider's tokens and ours, by kind of content, with its error on held-out sessions. A
    calibration that beats the shipped one is kept in your data folder; 'count' and 'fit' use it. No text is kept.

    With the extra claude-tokens (Python 3.12 and later), the offline counter of Claude's tokens is checked against the
    same steps. 'count' and 'fit' use it only where your records confirm it.

    \b
    Examples:
      modicum calibrate
      modicum calibrate ~/.claude/projects --dry-run
    """
    from modicum.insights.calibrate import compare
    from modicum.metering.calibration import FILE_NAME, Calibrations, load_file, save
    from modicum.metering.claude_tokens import counter_name

    problems: list[Problem] = []
    check_paths_exist(paths)
    pairs, models, checked = _read_pairs(paths or find_home_logs(), problems)
    compared = compare(pairs, models, Calibrations())
    kept = [one.own for one in compared if one.used]
    counter = counter_name()
    checks = checked.check(counter, models, Calibrations()) if counter else []
    place = data_folder() / FILE_NAME
    stored = bool(kept or checks) and not dry_run
    if stored:
        before = load_file(place)
        again = {one.family for one in checks}
        others = [one for one in before.checks if one.family not in again]
        save(kept or before.calibrations, place, "modicum calibrate", [*checks, *others])
    steps = sum(map(len, pairs.values()))
    if as_json:
        output.print_json(
            {
                "steps": steps,
                "calibrations": compared,
                "exact_counters": [{**msgspec.to_builtins(one), "confirmed": one.confirmed} for one in checks],
                "kept_in": str(place) if stored else None,
                "problems": problems,
            }
        )
        return
    _print_errors(compared, steps)
    _print_checks(checks)
    if kept:
        click.echo(f"{'Would be kept' if dry_run else 'Kept'} in {place}: those that say 'yes'.")
    if problems:
        click.echo(
            f"{number_of(len(problems), 'row or file was', 'rows or files were')} not used; --json lists them", err=True
        )


def _read_pairs(
    paths: Sequence[Path], problems: list[Problem]
) -> tuple[dict[str, list["CalibrationPair"]], dict[str, set[str]], "CheckedSteps"]:
    """The pairs by family of models, which models they are from, and the steps that were counted exactly too."""
    from modicum.importers.folders import log_files
    from modicum.insights.calibrate import CheckedSteps
    from modicum.metering.calibration import find_family
    from modicum.metering.tokens import encoding_for

    pairs: dict[str, list[CalibrationPair]] = defaultdict(list)
    models: dict[str, set[str]] = defaultdict(set)
    checked = CheckedSteps()
    seen: set[str] = set()
    named = [file for root in paths for file in log_files(root)]
    files = [file for file in named if isinstance(file, Path)]
    problems += [file for file in named if isinstance(file, Problem)]
    with token_measures.show_progress("reading", len(files)) as progress:
        for done, file in enumerate(files, 1):
            for model, pair in _read_pairs_of_file(file, seen, checked, problems):
                if not encoding_for(model)[1]:
                    family = find_family(model).name
                    pairs[family].append(pair)
                    models[family].add(model)
            if progress:
                progress(done)
    return pairs, models, checked


def _read_pairs_of_file(
    file: Path, seen: set[str], checked: "CheckedSteps", problems: list[Problem]
) -> Iterator[tuple[str, "CalibrationPair"]]:
    """(model, pair) for the clean steps of one log."""
    from modicum.context.calibration_pairs import growth_pairs
    from modicum.importers import format_named
    from modicum.importers.claude_code.calibration_pairs import steps
    from modicum.importers.format import Reading
    from modicum.importers.read_logs import recognise
    from modicum.metering.tokens import count_with, encoding_for

    known = recognise(file)
    if isinstance(known, Problem):
        problems.append(known)
    elif known.format_name == "claude-code":
        for step in steps(file, seen):
            if isinstance(step, Problem):
                problems.append(step)
                continue
            pair = step.pair(partial(count_with, encoding=encoding_for(step.model)[0]))
            _count_exactly(step, pair, checked)
            yield step.model, pair
    else:
        found = list(format_named(known.format_name).read(file, Reading(anatomy=True)))
        problems += [item for item in found if isinstance(item, Problem)]
        yield from growth_pairs(item for item in found if isinstance(item, Call))


def _count_exactly(step: "Step", pair: "CalibrationPair", checked: "CheckedSteps") -> None:
    """The same step by the exact counter, where there is one for its model and it has time for it."""
    from modicum.metering.calibration import find_family
    from modicum.metering.claude_tokens import count_claude_tokens, counter_name, find_generation
    from modicum.metering.tokens import bare_name

    generation = find_generation(bare_name(step.model)) if counter_name() else None
    family, chars = find_family(step.model).name, sum(map(len, step.texts))
    if generation and checked.has_room(family, step.session, chars):
        checked.add(family, chars, pair, step.pair(partial(count_claude_tokens, generation=generation)))


def _print_checks(checks: "list[CounterCheck]") -> None:
    """Whether the exact counter may be used from now on."""
    for one in checks:
        long = "" if one.error_long is None else f", {token_measures.format_error(one.error_long)} of 4,000 tokens on"
        click.echo(
            f"{one.counter} on {number_of(one.steps, 'step')} of {one.family}: error {percent(one.error)}{long}; "
            f"the line {percent(one.line_error)}. "
            + (
                "Your records confirm it: 'count' and 'fit' use it."
                if one.confirmed
                else f"Not used: {_why_not_confirmed(one)}."
            )
        )


def _why_not_confirmed(check: "CounterCheck") -> str:
    from modicum.metering.claude_tokens import MOST_OFF

    if abs(check.ratio - 1) > MOST_OFF:
        return f"your provider counts {check.ratio:.2f} tokens for one of its"
    return "it is not clearly better than the line"


def _print_errors(compared: "list[CalibrationComparison]", steps: int) -> None:
    click.echo(f"{number_of(steps, 'step')} where the log shows all that was appended.")
    if not compared:
        click.echo("Too few to calibrate with: 30 of one kind are needed. The shipped calibrations stay.")
        return
    output.print_table(
        ["models", "content", "pairs", "sessions", "ratio", "error", "shipped ratio", "its error", "kept"],
        [
            [
                one.own.family,
                one.own.content or "any",
                output.count(one.own.pairs),
                output.count(one.own.groups),
                f"{one.own.ratio:.3f}",
                token_measures.format_error(one.own.error),
                "" if one.shipped_ratio is None else f"{one.shipped_ratio:.3f}",
                "" if one.shipped_error is None else token_measures.format_error(one.shipped_error),
                "yes" if one.used else "no",
            ]
            for one in compared
        ],
        left=2,
    )
