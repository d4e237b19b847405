import pytest

from insights.planted import OUT, READ, WRITE, Conversation, history_of, said, user
from modicum.calls import Segment, SegmentKind
from modicum.insights.findings.fixed_overhead import find

PREFIX = Segment(SegmentKind.PREFIX, 10_000)


def test_what_stands_before_the_task_is_written_once_and_carried():
    found = find(history_of(Conversation().call(PREFIX, user("do", 100)).call(said("a"))))

    fixed = 10_000 * WRITE + 10_000 * READ
    assert found.gross_usd == pytest.approx(fixed)
    assert found.details["first_prompt_median_tokens"] == 10_100
    assert found.details["share_of_cost"] == pytest.approx(fixed / (fixed + 120 * WRITE + 100 * READ + 60 * OUT))
    assert found.change is None


def test_without_anatomy_it_says_so():
    assert find(history_of(Conversation(anatomy=None).call(user("do", 100)))).lacks
