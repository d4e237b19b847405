from datetime import timedelta

import pytest

from insights.planted import EVER, PRICES, START, Conversation, result, tool_round, user
from modicum.calls import Usage, UserError
from modicum.insights.audit import audit, check_finding_names
from modicum.insights.findings import FINDINGS
from modicum.ledger.opening import open_store


@pytest.fixture
def audited():
    def run(*talks, span=EVER, **options):
        store = open_store(":memory:")
        store.append([entry for talk in talks for entry in talk.entries])
        found = audit(store, PRICES, span, **options)
        store.close()
        return found

    return run


def paused():
    talk = Conversation().call(user("q", 30_000))
    for number in range(3):
        usage = Usage(0, 0, talk.tokens + 200, 0, 30)
        talk.call(*tool_round("Bash", str(number), f"text {number}", 180), after=1200, usage=usage)
    return talk


def test_findings_are_replayed_alone_and_together(audited):
    found = audited(paused())

    assert [row.name for row in found.findings] == list(FINDINGS)
    summed = [row for row in found.findings if row.marginal_usd is not None]
    assert "ttl_expiry" in [row.name for row in summed]
    assert found.joint_saving_usd == pytest.approx(sum(row.marginal_usd for row in summed))
    assert 0 < found.joint_saving_usd <= found.cost_usd
    assert found.joint_saving_share == pytest.approx(found.joint_saving_usd / found.cost_usd)
    assert found.first_steps[0] == "ttl_expiry"


def test_a_change_that_would_cost_more_is_shown_and_in_no_sum(audited):
    talk = Conversation().call(user("q", 5000)).call(user("r", 80_000)).call(user("s", 80_000))
    short = Conversation("short").call(user("q", 5000)).call(user("b", 1), after=700, usage=Usage(0, 0, 5001, 0, 1))

    found = audited(talk, short, only=["ttl_expiry"])

    (row,) = found.findings
    assert row.saving_usd < 0
    assert (row.marginal_usd, found.joint_saving_usd, found.first_steps) == (None, 0, [])


def test_what_saves_nothing_on_top_of_those_above_it_is_in_no_sum(audited):
    talk = Conversation().call(user("q", 9000)).call(user("r", 10), finish_reason="length")
    talk.call(after=20).call(user("s", 10))

    found = {row.name: row for row in audited(talk, only=["failed_calls", "duplicate_requests"]).findings}

    # One and the same call: cut at its limit, and sent again.
    assert found["failed_calls"].saving_usd == pytest.approx(found["duplicate_requests"].saving_usd)
    assert found["failed_calls"].marginal_usd == pytest.approx(found["failed_calls"].saving_usd)
    assert found["duplicate_requests"].marginal_usd is None


def test_what_an_audit_is_at_is_told(audited):
    told = []

    audited(paused(), only=["loops"], on_step=told.append)

    assert told[0] == "loading the calls"
    assert "looking for loops" in told


def test_what_is_asked_is_replayed_in_the_order_of_asking(audited):
    talk = Conversation().call(user("q", 9000)).call(*tool_round("Read", "a", "text", 6000)).call(user("r", 10))

    found = audited(talk, what_ifs=["cap_tool_results=2000", "cap_tool_results=1000"])

    first, second = found.what_if
    assert first.saving_usd == first.marginal_usd > 0
    assert second.marginal_usd == pytest.approx(second.saving_usd - first.saving_usd)
    assert found.what_if_saving_usd == pytest.approx(second.saving_usd)
    assert [point.results for point in found.cap_curve] == [1, 1, 1, 1, 0]


def test_usage_alone_says_what_it_lacks(audited):
    bare = Conversation(anatomy=None).call(user("q", 9000)).call(user("r", 10))

    found = audited(bare)

    assert (found.calls_without_anatomy, found.cap_curve) == (2, [])
    lacking = {row.name: row.lacks for row in found.findings if row.lacks}
    assert "duplicate_context" in lacking
    assert all(row.saving_usd is None for row in found.findings if row.lacks)


def test_unknown_prices_are_counted_and_nothing_is_made_up(audited):
    found = audited(Conversation(model="mystery", provider="").call(user("q", 9000)))

    assert (found.calls_unpriced, found.cost_usd, found.joint_saving_share) == (1, 0, 0)
    assert found.fidelity.calls == 0


def test_sources_that_are_reproduced_worse_are_named(audited):
    good = Conversation("good", source="gateway").call(user("q", 50_000)).call(user("r", 10))
    late = Conversation("late", source="elsewhere").call(user("q", 5000))
    late.call(user("r", 10), after=900, usage=Usage(0, 5000, 10, 0, 1))

    sources = {one.source: one.is_bound for one in audited(good, late).fidelity_by_source}

    assert sources == {"gateway": False, "elsewhere": True}


def test_one_call_is_a_history(audited):
    found = audited(Conversation().call(user("q", 9000), result("Read", "a", "text", 10)))

    assert (found.calls, found.fidelity.total_error) == (1, 0)
    assert found.joint_saving_usd <= found.cost_usd


def test_a_name_that_is_no_finding_and_a_time_without_calls_are_said(audited):
    talk = Conversation().call(user("q", 9000))

    with pytest.raises(UserError, match="there is no finding 'waste'; accepted are failed_calls"):
        audited(talk, only=["waste"])
    with pytest.raises(UserError, match="no single calls in that time"):
        audited(talk, span=(START + timedelta(days=9), EVER[1]))


def test_findings_are_named_by_id_too_in_their_own_order():
    assert check_finding_names(["c2", "B3", "failed_calls"]) == ["failed_calls", "ttl_expiry", "reread_files"]


def test_the_list_of_findings_has_the_id_that_each_gives_itself(audited):
    assert {row.name: row.id for row in audited(paused()).findings} == FINDINGS
