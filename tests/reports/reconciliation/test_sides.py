from decimal import Decimal

from ledger.samples import EVER, START, entry
from modicum.calls import Basis, Owner, Usage
from modicum.ledger.opening import open_store
from modicum.reports.reconciliation.sides import our_side, their_side

DAY = START.date()
BY = {"by": ["day", "provider", "model", "key"], "tag": [""] * 4, "zone": "UTC", "where": {}} | EVER


def test_ours_is_the_ledger_without_reports():
    store = open_store(":memory:")
    usage = Usage(10, 20, 0, 40, 50, 60)
    store.append([entry("c1", "1", usage=usage), entry("c2", None), entry("r", source="anthropic-usage")])

    found = our_side(store.ask("bill", **BY), with_models=True, with_keys=False)
    store.close()

    one = found[DAY, "anthropic", "opus", ""]
    assert (one.calls, one.prompt_tokens, one.cache_read_tokens, one.completion_tokens) == (2, 140, 40, 220)
    assert (one.usd, one.calls_unpriced) == (1, 1)


def test_theirs_are_tokens_of_usage_reports_and_dollars_of_cost_reports():
    reports = [entry("r", owner=Owner(key="key_1"), calls_count=5, source="anthropic-usage")]
    costs = {(DAY, "anthropic", "opus"): Decimal(3), (DAY, "anthropic", "haiku"): Decimal(1)}

    found = their_side(reports, costs, {}, with_models=True, with_keys=False)
    by_day = their_side(reports, costs, {}, with_models=False, with_keys=False)
    by_key = their_side(reports, costs, {"key_1": "ci"}, with_models=True, with_keys=True)

    assert (found[DAY, "anthropic", "opus", ""].tokens, found[DAY, "anthropic", "opus", ""].usd) == (180, 3)
    assert found[DAY, "anthropic", "haiku", ""].tokens is None
    assert by_day[DAY, "anthropic", "", ""].usd == 4
    assert {key: (one.calls, one.usd) for key, one in by_key.items()} == {(DAY, "anthropic", "opus", "ci"): (5, None)}


def test_a_report_that_leaves_a_count_out_does_not_say_how_many_tokens():
    whole = entry("whole", source="anthropic-usage")
    lacking = entry("lacking", usage=Usage(), usage_basis=Basis.UNKNOWN, source="anthropic-usage")

    found = their_side([lacking, whole], {}, {}, with_models=True, with_keys=False)

    assert (found[DAY, "anthropic", "opus", ""].calls, found[DAY, "anthropic", "opus", ""].tokens) == (2, None)
