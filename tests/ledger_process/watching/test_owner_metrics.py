"""Owners' counters: the bill's figures, each call once, never going back, with bounded labels."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ledger.samples import entry
from modicum.calls import Basis, CallStatus, Owner, Usage
from modicum.ledger_process.watching import owner_metrics
from modicum.ledger_process.watching.owner_metrics import OwnerMetrics

OWNER = Owner(team="research", app="chat", key="ci")
LABELS = {"team": "research", "app": "chat", "key": "ci"}


def values(metrics):
    """Every sample, by name and labels, as Prometheus reads it."""
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(metrics, name, **labels):
    return values(metrics).get((name, *sorted(labels.items())))


def grown(one, usd, revision, **fields):
    return msgspec.structs.replace(
        entry(one.call.call_id, usd, owner=one.call.owner, **fields),
        call=msgspec.structs.replace(one.call, revision=revision, **fields),
    )


def test_spend_tokens_and_calls_go_to_their_owner():
    metrics = OwnerMetrics(10)
    metrics.add([entry("a", "0.25", owner=OWNER), entry("b", "0.5", owner=OWNER), entry("c", None, owner=OWNER)])

    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 0.75
    assert value(metrics, "modicum_owner_calls_total", status="ok", **LABELS) == 3
    assert value(metrics, "modicum_owner_calls_unpriced_total", **LABELS) == 1
    assert value(metrics, "modicum_owner_tokens_total", bucket="cache_read", **LABELS) == 60
    assert value(metrics, "modicum_owners") == 1


def test_figures_of_different_basis_are_never_added_up():
    metrics = OwnerMetrics(10)
    one = entry("a", "0.25", owner=OWNER)
    guess = msgspec.structs.replace(one, cost=msgspec.structs.replace(one.cost, basis=Basis.ESTIMATED))
    metrics.add([guess, entry("b", "0.5", owner=OWNER)])

    assert value(metrics, "modicum_spend_usd_total", basis="estimated", **LABELS) == 0.25
    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 0.5


def test_a_call_that_is_booked_again_counts_once_with_what_it_has_grown_to():
    metrics = OwnerMetrics(10)
    first = entry("a", None, owner=OWNER, revision=1, usage=Usage(), status=CallStatus.UNKNOWN)
    metrics.add([first])
    whole = grown(first, "0.25", 2, status=CallStatus.OK, usage=Usage(input_uncached=7))
    metrics.add([whole, whole])
    metrics.add([first])  # an older record of it

    assert value(metrics, "modicum_owner_calls_total", status="ok", **LABELS) == 1
    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 0.25
    assert value(metrics, "modicum_owner_tokens_total", bucket="input_uncached", **LABELS) == 7


def test_a_counter_stands_still_where_a_later_figure_is_smaller():
    metrics = OwnerMetrics(10)
    first = entry("a", "5", owner=OWNER, revision=1)
    metrics.add([first])
    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 5
    metrics.add([grown(first, "2", 2), entry("b", "1", owner=OWNER)])
    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 5
    metrics.add([entry("c", "4", owner=OWNER)])

    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 7


def test_a_failed_attempt_costs_and_is_no_call():
    metrics = OwnerMetrics(10)
    metrics.add([entry("a", "1", owner=OWNER, calls_count=0, tags={"attempt.failed": "status_500"})])

    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 1
    assert value(metrics, "modicum_owner_calls_total", status="ok", **LABELS) is None


def test_owners_beyond_the_bound_are_other_and_the_sums_are_whole():
    metrics = OwnerMetrics(5)
    metrics.add([entry(f"{number}", "1", owner=Owner(key=f"k{number}")) for number in range(300)])
    spent = {place: amount for place, amount in values(metrics).items() if place[0] == "modicum_spend_usd_total"}

    assert len(spent) == 6
    assert sum(spent.values()) == 300
    assert value(metrics, "modicum_owners") == value(metrics, "modicum_owners_limit") == 5


@settings(max_examples=20)
@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_owners_call_themselves_it_can_be_read(team, key):
    metrics = OwnerMetrics(5)
    metrics.add([entry("a", "1", owner=Owner(team=team, key=key))])

    spent = [amount for place, amount in values(metrics).items() if place[0] == "modicum_spend_usd_total"]
    assert spent == [1]


def test_what_may_be_booked_again_is_bounded(monkeypatch):
    monkeypatch.setattr(owner_metrics, "MOST_REMEMBERED", 3)
    metrics = OwnerMetrics(5)
    metrics.add([entry(f"{number}", "1", owner=OWNER) for number in range(9)])

    assert len(metrics._counted) == 3
    assert value(metrics, "modicum_spend_usd_total", basis="exact", **LABELS) == 9
