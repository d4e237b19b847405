"""`modicum top`, with and without a ledger process that it can ask."""

from pathlib import Path

import pytest

from cli.process_rig import journaled
from ledger_process.rig import LedgerProcess, until
from modicum.settings import state_folder


@pytest.fixture
def ledger(folder):
    """A ledger process that took over two calls of the last minute, one of them without a price."""
    journaled(1)
    journaled(2, model="a-model-of-our-own")
    with LedgerProcess(state_folder()) as process:
        yield process


def test_without_a_ledger_process_it_says_what_to_type(modicum):
    refused = modicum("top", "--once")

    assert refused.status == 2
    assert "start one with 'modicum up'" in refused.err


def test_it_shows_a_row_for_each_model_and_their_total(ledger, modicum):
    printed = until(lambda: (shown := modicum("top", "--once", "--seconds", "900").out).count("\n") > 3 and shown)
    header, *rows = [line.split() for line in printed.splitlines() if line.strip()]

    assert header[:4] == ["model", "calls", "failed", "prompt"]
    assert {row[0]: row[1] for row in rows} == {"gpt-4o-mini": "1", "a-model-of-our-own": "1", "total": "2"}
    assert "1 unpriced" in printed.splitlines()[-1]


def test_its_document_is_the_answer_of_the_ledger_process(ledger, modicum):
    live = until(lambda: (shown := modicum("top", "--by", "team", "--seconds", "900", "--json").json)["rows"] and shown)

    assert (live["by"], live["total"]["calls"], live["total"]["prompt_tokens"]) == ("team", 2, 36)


def test_conditions_choose_calls(ledger, modicum):
    until(lambda: modicum("top", "--seconds", "900", "--json").json["total"]["calls"] == 2)

    chosen = modicum("top", "--seconds", "900", "--model", "gpt-*", "--json").json
    assert ([row["name"] for row in chosen["rows"]], chosen["chosen"]) == (["gpt-4o-mini"], ["model=gpt-*"])
    assert modicum("top", "--seconds", "900", "--team", "nobody", "--json").json["rows"] == []
    assert "colour" in modicum("top", "--where", "colour=red").err


def test_a_wrong_dimension_is_refused_with_those_that_there_are(ledger, modicum):
    refused = modicum("top", "--by", "color", "--once")

    assert refused.status == 2
    assert "model" in refused.err


def test_budgets_stand_below_those_nearest_to_their_limits_first(ledger, modicum):
    Path("modicum.toml").write_text(
        "".join(f'[[budget]]\nname = "b{number}"\nper = "month"\nlimit_usd = {number + 1}\n' for number in range(12))
        + '[[budget]]\nname = "spent"\nper = "ever"\nlimit_calls = 0\n'
    )
    printed = until(lambda: "unpriced" in (shown := modicum("top", "--once", "--seconds", "900").out) and shown)
    lines = [line.split() for line in printed.splitlines() if line.strip()]
    header = next(index for index, line in enumerate(lines) if line[0] == "budget")

    assert lines[header] == ["budget", "of", "limit", "left", "limit", "reached"]
    assert lines[header + 1][0] == "spent"
    assert lines[header + 1][-1] == "now"
    assert lines[header + 2][0] == "b0"
    assert "3 more budgets" in printed
    assert len(modicum("top", "--seconds", "900", "--json").json["budgets"]) == 13


def test_the_name_of_a_budget_cannot_break_the_table(ledger, modicum):
    Path("modicum.toml").write_text('[[budget]]\nname = "[red]b"\nper = "month"\nlimit_usd = 1\nteam = "*"\n')

    assert modicum("top", "--once").status == 0
