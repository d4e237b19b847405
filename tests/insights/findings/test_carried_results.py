import pytest

from insights.planted import READ, WRITE, Conversation, history_of, said, tool_round
from modicum.insights.finding import FindingClass
from modicum.insights.findings.carried_results import find


def test_what_lies_beyond_the_cap_is_written_once_and_read_again_and_again():
    talk = Conversation().call(*tool_round("Bash", "make", "out", 5000)).call(said("a")).call(said("b"))

    found = find(history_of(talk))

    assert found.gross_usd == pytest.approx(3000 * WRITE + 2 * 3000 * READ)
    assert found.change.segment_tokens.tolist() == [20, 2000, 20, 20]
    assert found.finding_class is FindingClass.HEADROOM


def test_short_results_are_left_alone():
    found = find(history_of(Conversation().call(*tool_round("Bash", "make", "out", 2000))))

    assert (found.calls, found.change, found.lacks) == (0, None, "")
