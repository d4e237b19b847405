"""`modicum experiment propose`, as a person types it."""

import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Outcome, Owner, Usage
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.settings import VariantSettings

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def entry(number, reasoning=80, **fields):
    fields = {"owner": Owner(app="web"), "model": "gpt-5-mini"} | fields
    call = Call(
        call_id=f"x:{fields['model']}:{number}", source="x", provider="openai", task=f"t{number % 40}",
        started=START + timedelta(seconds=number), finish_reason="stop",
        usage=Usage(input_uncached=9, output_visible=100 - reasoning, output_reasoning=reasoning), **fields,
    )  # fmt: skip
    return Entry(call, Cost(None, Basis.UNKNOWN))


@pytest.fixture
def ledger(tmp_path):
    """One route with enough calls, one with too few, and one outcome that every other task reached."""
    path = str(tmp_path / "ledger.duckdb")
    with closing(open_store(path)) as store:
        store.append([entry(number) for number in range(320)])
        store.append([entry(number, owner=Owner(), model="o3") for number in range(5)])
        outcomes = [
            Outcome(outcome_id=f"o{number}", task=f"t{number}", name="resolved", value=1.0, time=START)
            for number in range(40)
        ]
        store.append_records(OUTCOMES, outcomes)
    return path


def test_every_route_is_listed_and_too_few_calls_are_counted(modicum, ledger):
    shown = modicum("experiment", "propose", "--ledger", ledger).out

    assert "web/gpt-5-mini" in shown
    assert "o3: no proposal: too few: 5 calls with a known output ended well; 295 more calls" in shown
    assert "modicum experiment propose --route web/gpt-5-mini" in shown


def test_what_is_printed_for_a_route_can_be_pasted_and_typed(modicum, folder, ledger):
    (row,) = modicum("experiment", "propose", "--route", "web/gpt-5-mini", "--ledger", ledger, "--json").json["routes"]
    cap, effort = row["experiments"]
    shown = modicum("experiment", "propose", "--route", "web/gpt-5-mini", "--ledger", ledger).out

    settings = "\n".join(one["settings"] for one in (cap, effort))
    variants = {name: VariantSettings(**its) for name, its in tomllib.loads(settings)["variants"].items()}
    assert variants == {
        "web-gpt-5-mini-cap": VariantSettings(models="gpt-5-mini", app="web", most_output_tokens=130),
        "web-gpt-5-mini-effort": VariantSettings(models="gpt-5-mini", app="web", effort="low"),
    }
    assert (cap["outcome"], cap["hold_out"], cap["margin"]) == ("resolved", 0.5, 0.05)
    assert cap["settings"] in shown
    assert effort["command"] in shown
    (folder / "modicum.toml").write_text(settings)
    for one in (cap, effort):
        assert modicum(*one["command"].split()[1:]).status == 0
    assert len(modicum("experiment", "status", "--json").json) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--route", "web/gpt-6"), "web/gpt-5-mini"),
        (("--outcome", "tests"), "resolved"),
        (("--margin", "7"), "0.05 is 5 points"),
        (("--hold-out", "0"), "0.01 to 0.99"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_type(modicum, ledger, words, why):
    failed = modicum("experiment", "propose", "--ledger", ledger, *words)

    assert failed.status == 2
    assert why in failed.err


def test_without_an_outcome_the_command_says_what_is_to_be_filled_in(modicum, tmp_path):
    path = str(tmp_path / "bare.duckdb")
    with closing(open_store(path)) as store:
        store.append([entry(number) for number in range(320)])

    shown = modicum("experiment", "propose", "--ledger", path).out

    assert "--outcome OUTCOME" in shown
    assert "OUTCOME is yours to fill in" in shown


@pytest.mark.parametrize(("count", "says"), [(320, True), (5, False)])
def test_what_a_cap_may_cut_is_said_where_a_cap_is_proposed(modicum, tmp_path, count, says):
    path = str(tmp_path / "ledger.duckdb")
    with closing(open_store(path)) as store:
        store.append([entry(n, 0, output_basis=Basis.LOWER_BOUND, output_tokens_estimated=100) for n in range(count)])

    shown = " ".join(modicum("experiment", "propose", "--ledger", path).out.split())

    assert "logged before the count was final, so tokens are our own count" in shown
    assert ("a cap of so many may cut more calls than is said here" in shown) is says
