from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Basis
from modicum.metering.price_file import Subscription
from modicum.reports.showback.rules import SharedCost, ShowbackRules, SplitBy
from modicum.reports.showback.statement import UsageLine, build_statement, parse_usage_lines, statement_document

MONTH = date(2026, 11, 1)
PLAN = Subscription("Max", "claude-code", Decimal(200))


def line(name, usd, source="gateway", calls=1, tokens=10):
    known = None if usd is None else Decimal(usd)
    return UsageLine(source, name, calls, tokens, known, Basis.EXACT, calls if usd is None else 0)


def totals(statement, column="total_usd"):
    return {row.name: getattr(row, column) for row in statement.rows}


NAMES = st.sampled_from(["a", "b", "c", ""])
USD = st.one_of(st.none(), st.decimals(min_value=0, max_value=900, places=10))
SOURCES = st.sampled_from(["gateway", "claude-code", "codex"])
LINES = st.lists(
    st.builds(line, NAMES, USD, SOURCES, st.integers(0, 50), st.integers(0, 10_000)), min_size=1, max_size=12
)
FIXED = st.decimals(min_value=0, max_value=500, places=2)
OWN_SHARES = SharedCost("own", Decimal(7), None, SplitBy.SHARES, {"a": Decimal("0.3"), "new": Decimal("0.7")})
POOL_SHARES = SharedCost("pool of shares", None, "b", SplitBy.SHARES, {"a": Decimal("0.1"), "new": Decimal("0.9")})
DIVIDED = st.sampled_from([SplitBy.COST, SplitBy.CALLS, SplitBy.EVEN])
SHARED = st.lists(
    st.one_of(
        st.tuples(FIXED, DIVIDED).map(lambda one: SharedCost("fixed", one[0], split=one[1])),
        st.tuples(NAMES, DIVIDED).map(lambda of: SharedCost("pool", None, *of)),
        st.sampled_from([OWN_SHARES, POOL_SHARES]),
    ),
    max_size=3,
)
FEES = st.lists(st.tuples(SOURCES, FIXED).map(lambda fee: Subscription("fee", *fee)), max_size=3)
SPLITS = st.sampled_from([SplitBy.LIST_PRICE, SplitBy.CALLS, SplitBy.TOKENS])


@given(LINES, SHARED, FEES, SPLITS)
@settings(max_examples=60)
def test_sums_are_those_of_the_bill_to_the_last_digit(lines, shared, fees, split):
    statement = build_statement(lines, MONTH, ShowbackRules(split, tuple(shared)), fees)

    paid = [fee for fee in fees if fee.source in {one.source for one in lines}]
    covered = {fee.source for fee in paid}
    metered = sum((one.usd or 0 for one in lines if one.source not in covered), Decimal(0))
    assert sum(totals(statement, "list_usd").values()) == sum(one.usd or 0 for one in lines)
    assert sum(totals(statement, "metered_usd").values()) == metered
    assert sum(totals(statement, "subscription_usd").values()) == sum(fee.usd_per_month for fee in paid)
    fixed = sum((one.usd_per_month or 0 for one in shared), Decimal(0))
    assert sum(totals(statement).values()) == metered + sum(fee.usd_per_month for fee in paid) + fixed
    assert statement.total.total_usd == sum(totals(statement).values())
    assert statement.total.calls == sum(one.calls for one in lines)


def test_calls_that_nobody_tagged_are_a_row_of_their_own():
    statement = build_statement([line("a", "3"), line("", "5"), line("", None)], MONTH, ShowbackRules())

    assert totals(statement) == {"": 5, "a": 3}
    assert statement.rows[0].calls_unpriced == 1


def test_a_covered_call_owes_its_share_of_the_fee_instead_of_its_list_price():
    lines = [line("a", "30", "claude-code"), line("b", "10", "claude-code"), line("b", "4")]

    statement = build_statement(lines, MONTH, ShowbackRules(), [PLAN])

    assert totals(statement) == {"a": 150, "b": 54}
    assert statement.fees[0].list_usd == 40
    assert totals(build_statement(lines, MONTH, ShowbackRules(SplitBy.CALLS), [PLAN])) == {"a": 100, "b": 104}


def test_the_spend_of_a_team_is_divided_among_the_others():
    rules = ShowbackRules(shared=(SharedCost("Platform", of="platform"),))

    statement = build_statement([line("platform", "40"), line("a", "30"), line("b", "10")], MONTH, rules)

    assert totals(statement) == {"a": 60, "b": 20, "platform": 0}
    assert totals(statement, "shared_usd") == {"a": 30, "b": 10, "platform": -40}


def test_what_nobody_is_there_to_share_stays_where_it_was_or_is_untagged():
    pool = ShowbackRules(shared=(SharedCost("Platform", of="platform"),))
    hosts = ShowbackRules(shared=(SharedCost("Hosts", Decimal(9), split=SplitBy.EVEN),))

    assert totals(build_statement([line("platform", "40")], MONTH, pool)) == {"platform": 40}
    assert totals(build_statement([line("", "1")], MONTH, hosts)) == {"": 10}


def test_who_has_a_share_has_a_row_without_any_call_and_codes_stand_by_their_names():
    audit = SharedCost("Audit", Decimal(10), split=SplitBy.SHARES, shares={"law": Decimal(1)})

    statement = build_statement([line("a", "1")], MONTH, ShowbackRules(shared=(audit,), codes={"law": "CC-7"}))

    assert [(row.name, row.code, row.calls) for row in statement.rows] == [("law", "CC-7", 0), ("a", "", 1)]


def test_lines_leave_usage_reports_out_where_there_are_logs():
    cell = {"cost_usd": Decimal(1), "cost_basis": "exact", "calls": 2, "calls_unpriced": 0} | dict.fromkeys(BUCKETS, 3)
    logged = {**cell, "name": "gateway\x1fa\x1fb", "is_report": 0}
    report = {**cell, "name": "openai-usage\x1fa\x1fb", "is_report": 1}

    assert [one.name for one in parse_usage_lines([logged, report])] == ["a\x1fb"]
    assert [one.source for one in parse_usage_lines([report])] == ["openai-usage"]
    assert parse_usage_lines([logged])[0].tokens == 3 * len(BUCKETS)


def test_the_document_states_the_rules_that_applied():
    rules = ShowbackRules(shared=(SharedCost("Hosts", Decimal(9)), SharedCost("Old", Decimal(9), until=MONTH)))
    document = statement_document(build_statement([line("a", "1")], MONTH, rules), MONTH, "team", "UTC", rules)

    assert (document["month"], document["rows"][0]["total_usd"]) == ("2026-11", 10)
    assert [rule for rule in document["rules"] if "Hosts" in rule]
    assert not [rule for rule in document["rules"] if "Old" in rule or "subscription" in rule]
