from pathlib import Path

import numpy as np
import pytest

from modicum.importers.read_logs import FORMATS
from modicum.insights.advice.client_advice import advice_for, load_client_advice
from modicum.insights.findings import FINDINGS

ROWS = [(source, name, one) for source, rows in load_client_advice().items() for name, one in rows.items()]


class Calls:
    """As much of a history as is looked at."""

    def __init__(self, **cost_by_source):
        self.sources = list(cost_by_source)
        self.source = np.arange(len(cost_by_source))
        self.cost_usd = np.array(list(cost_by_source.values()), np.float64)


@pytest.mark.parametrize(("source", "name", "one"), ROWS)
def test_each_is_for_an_agent_and_a_finding_that_there_are(source, name, one):
    assert source in FORMATS
    assert name in FINDINGS
    assert one.who in {"you", "vendor"}
    assert one.how.endswith(".")
    assert bool(one.paste) == bool(one.place)
    assert one.source.startswith("https://")
    assert not (one.who == "vendor" and one.paste)


@pytest.mark.parametrize(("source", "name", "one"), ROWS)
def test_the_page_on_findings_shows_each(source, name, one):
    page = (Path(__file__).parents[3] / "docs" / "findings.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` | `{source}` |")]

    assert f"| {one.who} | {one.how}" in row
    assert one.paste in row
    assert f"{one.source}, {one.checked}" in row


def test_the_agent_that_made_most_of_the_bill_is_advised():
    assert advice_for(Calls(**{"claude-code": 6.0, "codex": 4.0})) == load_client_advice()["claude-code"]
    assert advice_for(Calls(**{"claude-code": 4.0, "codex": 6.0, "litellm": 1.0})) == load_client_advice()["codex"]


@pytest.mark.parametrize("costs", [{"litellm": 9.0, "codex": 1.0}, {"codex": float("nan")}, {"codex": 0.0}])
def test_without_such_an_agent_there_is_none(costs):
    assert advice_for(Calls(**costs)) == {}
