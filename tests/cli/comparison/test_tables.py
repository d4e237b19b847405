import io
import re
import sys

from experiments.sample_results import result, saver
from modicum.cli.comparison.tables import print_comparison
from modicum.experiments.comparison import compare
from modicum.experiments.comparison_pairs import ComparisonRules


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_of_80_columns_shows_every_figure(monkeypatch):
    names = ("an-agent-with-a-very-long-name-and-version-1", "an-agent-with-a-very-long-name-anversion-2")
    rows = saver(30, arms=names)
    rows += [result(names[0], 1, tokens=9_876_543, cost=123.456)] * 3
    comparison = compare(rows, ComparisonRules())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout", Screen())

    print_comparison(comparison)

    text = re.sub(r"\x1b\[[0-9;]*m", "", sys.stdout.getvalue())
    assert max(len(line) for line in text.splitlines()) <= 80
    cost = comparison.pairs[0].ratios["cost_usd"]
    assert f"{cost.low:.3f} to {cost.high:.3f}" in text
    assert "26,810" in text
    assert "version-2" in text
    assert "…" not in text.replace("an-agent-w…ersion-", "")


def test_arms_that_know_less_are_marked(capsys):
    rows = [*saver(5), result("saver", 0, cost=None, tokens=None), result("saver", 1, 0.5)]

    print_comparison(compare(rows, ComparisonRules()))

    out = capsys.readouterr().out
    assert "* over the runs that know it; others do not" in out
    assert "score" in out.splitlines()[0]


def test_results_without_cost_or_tokens_have_no_empty_tables(capsys):
    rows = [result(arm, task, cost=None, tokens=None) for arm in "ab" for task in range(3)]

    print_comparison(compare(rows, ComparisonRules()))

    out = capsys.readouterr().out
    assert "per run" not in out
    assert "per success" not in out.splitlines()
    assert "b: nothing can be said about cost (no task has both figures)" in out
