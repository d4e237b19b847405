import pytest

from insights.planted import OUT, READ, WRITE, Conversation, history_of, said, tool_round, user
from modicum.insights.findings.reread_files import find


def test_an_unchanged_file_read_again_costs_its_call_and_its_carry():
    talk = Conversation().call(user("do", 50)).call(*tool_round("Read", "a.py", "text", 2000)).call(said("hm"))
    talk.call(*tool_round("Read", "a.py", "text", 2000)).call(said("so"))

    found = find(history_of(talk))

    assert (found.details["reads"], found.examples) == (1, ("t.3",))
    assert found.gross_usd == pytest.approx(2090 * READ + 2020 * WRITE + 30 * OUT + 2020 * READ)
    assert found.change.dropped_calls.tolist() == [False, False, True, False, False]  # the turn that asked for it


@pytest.mark.parametrize(
    "second",
    [
        tool_round("Read", "a.py", "text, edited", 2000),
        tool_round("Read", "b.py", "text of b", 2000),
        tool_round("Read", "a.py", "text", 2000, failed=True),
    ],
)
def test_a_changed_file_another_file_and_a_failure_are_no_rereads(second):
    talk = Conversation().call(*tool_round("Read", "a.py", "text", 2000)).call(*second)

    assert find(history_of(talk)).calls == 0


def test_a_file_that_an_edit_elsewhere_left_as_it_was_need_not_be_read_again():
    talk = Conversation().call(*tool_round("Read", "a.py", "text", 2000)).call(*tool_round("Edit", "b.py", "done"))
    talk.call(*tool_round("Grep", "x", "found")).call(*tool_round("Read", "a.py", "text", 2000))

    assert find(history_of(talk)).details["reads"] == 1


def test_a_read_behind_an_edit_is_a_check():
    talk = Conversation().call(*tool_round("Read", "a.py", "text", 2000)).call(*tool_round("Edit", "b.py", "done"))

    assert find(history_of(talk.call(*tool_round("Read", "a.py", "text", 2000)))).calls == 0


def test_a_command_may_be_a_poll():
    talk = (
        Conversation().call(*tool_round("Bash", "git status", "clean")).call(*tool_round("Bash", "git status", "clean"))
    )

    assert find(history_of(talk)).calls == 0


def test_after_a_compaction_the_file_has_to_be_read_again():
    talk = Conversation().call(user("do", 50)).call(*tool_round("Read", "a.py", "text", 2000))

    assert find(history_of(talk.compact(*tool_round("Read", "a.py", "text", 2000)))).calls == 0
