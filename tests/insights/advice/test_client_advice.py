import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from modicum.importers.read_logs import FORMATS
from modicum.insights.advice.client_advice import OF_THE_FINDING, advice_for, load_client_advice
from modicum.insights.findings import FINDINGS
from modicum.insights.what_if import check_what_if

PAGE = (Path(__file__).parents[3] / "docs" / "findings.md").read_text()


class Calls:
    """As much of a history as is looked at."""

    def __init__(self, **cost_by_source):
        self.sources = list(cost_by_source)
        self.source = np.arange(len(cost_by_source))
        self.cost_usd = np.array(list(cost_by_source.values()), np.float64)


@pytest.mark.parametrize("one", load_client_advice(), ids=lambda one: f"{one.client}.{one.name}")
def test_each_is_for_an_agent_and_a_finding_that_there_are(one):
    assert one.client in FORMATS
    assert one.finding in FINDINGS
    assert one.who in {"you", "vendor"}
    assert one.how.endswith(".")
    assert bool(one.paste) == (one.who == "you") == bool(one.kind)
    assert bool(one.place) == (one.kind in {"json", "toml", "markdown"})
    assert one.source.startswith("https://")
    if one.replay not in {"", OF_THE_FINDING}:
        check_what_if(one.replay)


def test_what_is_pasted_is_what_it_says():
    for one in load_client_advice():
        if one.kind == "json":
            assert json.loads("{" + one.paste + "}")
        elif one.kind == "toml":
            assert len(tomllib.loads(one.paste)) == 1


def test_names_are_one_for_one_client():
    names = [(one.client, one.name) for one in load_client_advice()]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("one", load_client_advice(), ids=lambda one: f"{one.client}.{one.name}")
def test_the_page_on_findings_shows_each(one):
    (row,) = [
        line for line in PAGE.splitlines() if line.startswith(f"| `{one.finding}` | `{one.client}` | `{one.name}` |")
    ]

    assert f"| {one.who} | {one.how}" in row
    assert one.paste in row
    assert one.replay in row
    assert one.since in row
    assert f"{one.source}, {one.checked}" in row


def test_the_agent_that_made_most_of_the_bill_is_advised():
    assert {one.client for one in advice_for(Calls(**{"claude-code": 6.0, "codex": 4.0}))} == {"claude-code"}
    assert {one.client for one in advice_for(Calls(**{"claude-code": 4.0, "codex": 6.0}))} == {"codex"}


@pytest.mark.parametrize("costs", [{"litellm": 9.0, "codex": 1.0}, {"codex": float("nan")}, {"codex": 0.0}])
def test_without_such_an_agent_there_is_none(costs):
    assert not advice_for(Calls(**costs))
