import msgspec
import pytest

from insights.planted import READ, WRITE, Conversation, history_of, said, tool_round, user
from modicum.calls import Reuse
from modicum.insights.finding import FindingClass
from modicum.insights.findings.unread_results import STUB_TOKENS, find


def read(tool, argument, tokens, share, *, failed=False):
    asked, result = tool_round(tool, argument, f"{tool} {argument}", tokens, failed=failed)
    return asked, msgspec.structs.replace(result, reuse=Reuse(share, 9))


def test_what_nothing_referred_to_is_written_once_and_read_again_and_again():
    talk = Conversation().call(*read("Read", "a", 1000, 0.25)).call(said("a")).call(said("b"))

    found = find(history_of(talk))

    assert found.gross_usd == pytest.approx(750 * WRITE + 2 * 750 * READ)
    assert found.change.segment_tokens.tolist() == [20, 250, 20, 20]
    assert found.finding_class is FindingClass.UPPER_BOUND
    assert found.details["unread_share"] == pytest.approx(0.75)


def test_a_result_that_was_not_read_at_all_keeps_a_stub():
    found = find(history_of(Conversation().call(*read("Bash", "make", 900, 0.0))))

    assert found.change.segment_tokens.tolist() == [20, STUB_TOKENS]
    assert found.details["results_unread"] == 1


def test_results_that_were_read_and_short_ones_and_failures_are_left_alone():
    talk = Conversation().call(*read("Read", "all", 1000, 1.0)).call(*read("Read", "short", 150, 0.0))
    talk.call(*read("Fetch", "x", 900, 0.0, failed=True)).call(*read("Read", "nearly all", 1000, 0.91))

    found = find(history_of(talk))

    assert (found.calls, found.change, found.lacks) == (0, None, "")
    assert (found.details["results_judged"], found.details["results_not_judged"]) == (2, 1)


def test_a_ledger_that_nobody_listened_for_says_what_it_lacks():
    assert "modicum import" in find(history_of(Conversation().call(*tool_round("Read", "a", "A", 900)))).lacks
    assert find(history_of(Conversation().call(user("hello", 900)))).lacks.startswith("tool results")
