"""What calls of a route needed, and what is proposed of it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modicum.calls import Basis, BucketCosts, Call, CallStatus, Cost, Entry, Outcome, Owner, Usage
from modicum.insights.advice.route_needs import FEWEST_CALLS, FEWEST_TASKS, measure_needs, round_up
from modicum.ledger.embedded import DuckDBStore
from modicum.ledger.records import OUTCOMES
from modicum.ledger.store import Purge

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPAN = START, START + timedelta(days=1)


def entry(number, output=100, reasoning=0, usd="0.01", **fields):
    fields = {"task": f"t{number % 40}", "owner": Owner(app="web"), "finish_reason": "stop"} | fields
    usage = Usage(input_uncached=10, output_visible=output - reasoning, output_reasoning=reasoning)
    call = Call(
        call_id=f"x:{number}", source="x", provider="openai", model="gpt-5-mini-2025-08-07",
        started=START + timedelta(seconds=number), usage=usage, **fields,
    )  # fmt: skip
    each = Decimal(usd or 0)
    part = BucketCosts(output_visible=each * (output - reasoning), output_reasoning=each * reasoning)
    return Entry(call, Cost(part.total, Basis.EXACT, part) if usd else Cost.unknown())


@pytest.fixture(scope="module")
def store():
    with closing(DuckDBStore(":memory:")) as store:
        yield store


@pytest.fixture
def needs(store):
    """What these entries, alone in the ledger, needed."""

    def measure(entries, outcomes=(), outcome=""):
        store.append(entries)
        store.append_records(OUTCOMES, outcomes)
        return measure_needs(store, SPAN, outcome)

    yield measure
    store.purge(Purge(before=SPAN[1]))


def test_a_cap_is_the_99th_percentile_and_a_quarter_more(needs):
    (found,) = needs([entry(n, output=1000 if n >= 396 else 100 + n % 50) for n in range(400)])

    assert (found.route, found.calls_ended_well, found.tasks) == ("web/gpt-5-mini-2025-08-07", 400, 40)
    assert (found.output_p99, found.cap.most_output_tokens) == (149, 190)
    assert (found.cap.calls_cut, found.cap.share_cut) == (4, 0.01)
    assert 0 < found.cap.share_cut_low < 0.01 < found.cap.share_cut_high < 0.05
    assert found.cap.tokens_beyond == 4 * 810
    assert found.cap.usd_beyond == pytest.approx(4 * 810 * 0.01)
    assert (found.effort, "counts apart" in found.why_no_effort) == (None, True)


@pytest.mark.parametrize(("reasoning", "effort"), [(80, "low"), (5, "low"), (30, None)])
def test_an_effort_is_proposed_where_reasoning_is_most_of_the_output_or_next_to_none(reasoning, effort, needs):
    (found,) = needs([entry(n, reasoning=reasoning) for n in range(FEWEST_CALLS)])

    assert found.reasoning_share == reasoning / 100
    assert (found.effort and found.effort.effort) == effort
    assert (found.effort and found.effort.share_of_cost) == (pytest.approx(reasoning / 100) if effort else None)


def test_too_few_calls_say_how_many_are_missing(needs):
    (found,) = needs([entry(n, task=f"t{n % 3}") for n in range(120)])

    assert (found.cap, found.effort) == (None, None)
    assert (found.calls_missing, found.tasks_missing) == (FEWEST_CALLS - 120, FEWEST_TASKS - 3)
    assert "180 more calls that ended well and calls of 17 more tasks needed" in found.why_no_cap


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"finish_reason": "length"}, "calls_cut_off"),
        ({"finish_reason": "MAX_TOKENS"}, "calls_cut_off"),
        ({"finish_reason": "content_filter"}, "calls_failed"),
        ({"status": CallStatus.ABORTED}, "calls_failed"),
        ({"output_basis": Basis.LOWER_BOUND}, "calls_uncertain"),
    ],
)
def test_calls_that_did_not_end_well_say_nothing_of_what_was_needed(fields, counted, needs):
    (found,) = needs([entry(1), entry(2, output=9_999, **fields)])

    assert (getattr(found, counted), found.calls_ended_well, found.output_most) == (1, 1, 100)


def test_a_reply_that_was_logged_too_early_is_taken_by_our_count(needs):
    (found,) = needs([entry(1, output=2, output_basis=Basis.LOWER_BOUND, output_tokens_estimated=700)])

    assert (found.calls_estimated, found.calls_ended_well, found.output_most) == (1, 1, 700)


def test_calls_of_tasks_that_failed_are_left_out_where_an_outcome_counts(needs):
    entries = [entry(1, task="good"), entry(2, task="bad", output=5_000), entry(3, task="open")]
    outcomes = [
        Outcome(outcome_id=task, task=task, name="ok", value=value, time=START)
        for task, value in (("good", 1.0), ("bad", 0.0))
    ]

    (found,) = needs(entries, outcomes, "ok")

    assert (found.calls_failed, found.calls_ended_well, found.output_most) == (1, 2, 100)


def test_routes_are_apart_and_the_dearest_comes_first(needs):
    found = needs([entry(1), entry(2, output=900, owner=Owner(team="ops", app="bot")), entry(3, usd="", owner=Owner())])

    assert [one.route for one in found] == [
        "ops/bot/gpt-5-mini-2025-08-07",
        "web/gpt-5-mini-2025-08-07",
        "gpt-5-mini-2025-08-07",
    ]
    assert found[-1].cost_usd is None


@pytest.mark.parametrize(("number", "rounded"), [(7, 7), (99, 99), (101, 110), (1_234, 1_300), (1_300, 1_300)])
def test_caps_have_two_digits(number, rounded):
    assert round_up(number) == rounded
