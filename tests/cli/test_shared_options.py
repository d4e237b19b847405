from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from modicum.calls import UserError
from modicum.cli.shared_options import (
    LogOptions,
    SpanOptions,
    found_option,
    json_option,
    ledger_option,
    pass_options,
    paths_argument,
    prices_option,
    source_option,
    span_options,
    strict_option,
    timezone_option,
)
from modicum.insights.scoping.time_span import EVER, NEVER


@dataclass(frozen=True, kw_only=True)
class Everything(LogOptions, SpanOptions):
    found: bool
    timezone: str | None


@click.command()
@paths_argument
@span_options("when the call began")
@timezone_option
@source_option
@found_option
@strict_option
@json_option
@prices_option
@ledger_option
@pass_options(Everything)
def everything(options: Everything) -> None:
    """A verb with all of them."""
    click.echo(repr(options))


def test_a_verb_gets_its_options_as_one_object():
    words = ["a", "b", "--since", "7d", "--source", "codex", "--strict", "--json", "--ledger", "x.duckdb", "--found"]

    shown = CliRunner().invoke(everything, words)

    assert shown.output.strip() == repr(
        Everything(
            paths=(Path("a"), Path("b")),
            since="7d",
            until=None,
            source="codex",
            strict=True,
            as_json=True,
            price_path=None,
            ledger_url="x.duckdb",
            found=True,
            timezone=None,
        )
    )


def test_help_says_what_is_chosen_by_time():
    shown = " ".join(CliRunner().invoke(everything, ["--help"]).output.split())

    assert "A verb with all of them." in shown
    assert "End of the time, not included (when the call began)." in shown


def test_a_span_is_in_utc_and_open_where_nothing_was_named():
    berlin = ZoneInfo("Europe/Berlin")

    assert SpanOptions().span(berlin) == (EVER, NEVER)
    assert SpanOptions(since="2026-07-01").span(berlin)[0] == datetime(2026, 6, 30, 22, tzinfo=UTC)
    with pytest.raises(UserError, match="is no time"):
        SpanOptions(until="soon").span(berlin)


@pytest.mark.parametrize("verb", [("bill",), ("audit",), ("anatomy",), ("exposure",), ("blocks",)])
@pytest.mark.parametrize("order", [("--csv", "--json"), ("--json", "--csv")])
def test_two_ways_to_print_the_same_are_refused_everywhere(modicum, verb, order):
    result = modicum(*verb, "nowhere.jsonl", *order)

    assert result.status == 2
    assert "choose one" in result.err


def test_a_time_that_ends_before_it_begins_is_an_error_and_not_no_calls(modicum, transcripts):
    ran = modicum("bill", transcripts, "--since", "2026-03-10", "--until", "2026-03-01")

    assert (ran.status, ran.out) == (2, "")
    assert "--until 2026-03-01 is not after --since 2026-03-10" in ran.err
