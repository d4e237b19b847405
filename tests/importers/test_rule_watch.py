import json

import pytest

from context.test_tool_result_reuse import Agent
from modicum.calls import Call, SegmentKind
from modicum.importers import format_named
from modicum.importers.anatomy_reading import read_with_listeners
from modicum.importers.format import Reading
from modicum.importers.rule_watch import rule_sets, sent_share
from modicum.metering.tokens import count_tokens
from modicum.optimizers.code.skeleton_rule import code_skeleton
from modicum.optimizers.line_numbers import without_line_numbers

FILE = "\n".join(f"{number:6}→\ttotal += price({number})" for number in range(1, 200))
LOG = "\n".join(f"2026-01-02 10:00:{number % 60:02} INFO worker-{number} served a request" for number in range(60))


def read(agent, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in agent.as_modicum()))
    calls = read_with_listeners(format_named("modicum"), path, Reading(anatomy=True))
    return [call for call in calls if isinstance(call, Call)]


def shares(calls):
    return [
        {one.rules: one.share for one in part.shortenings}
        for call in calls
        for part in call.anatomy.added
        if part.kind is SegmentKind.TOOL_RESULT
    ]


def test_results_say_what_each_rule_the_lossless_and_all_would_have_sent(tmp_path):
    agent = Agent().calls("Read", {"path": "a.py"}, FILE).calls("Bash", {"command": "tail log"}, LOG).says("Done.")
    agent.calls("Read", {"path": "a.py"}, FILE).calls("Ask", {}, "short").says("Done.")

    a_file, log, again, short = shares(read(agent, tmp_path))

    assert a_file.keys() == {"content.line_numbers", "lossless", "all"}
    assert set(a_file.values()) == {sent_share(FILE, without_line_numbers(FILE), count_tokens(FILE, ""), "")}
    assert log.keys() == {"content.log_fold", "all"}
    assert again["content.repeats"] < 0.1
    assert again["all"] < again["lossless"] == a_file["lossless"]
    assert short == {}


def test_nothing_else_of_the_calls_changes(tmp_path):
    agent = Agent().calls("Read", {"path": "a.py"}, FILE).says("Done.")
    path = tmp_path / "plain.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in agent.as_modicum()))
    plain = [call for call in format_named("modicum").read(path, Reading(anatomy=True)) if isinstance(call, Call)]

    for call, bare in zip(read(agent, tmp_path), plain, strict=True):
        assert [(part.digest, part.tokens) for part in call.anatomy.added] == [
            (part.digest, part.tokens) for part in bare.anatomy.added
        ]


@pytest.mark.parametrize(("after", "share"), [("", 0.0), ("one two", 0.5), ("one two three four", 1.0)])
def test_a_share_is_the_greater_of_tokens_and_characters(after, share):
    assert sent_share("one two three four", after, 4, "") == pytest.approx(share, abs=0.1)


def test_the_sets_are_each_rule_the_lossless_and_all():
    assert [*rule_sets()][-2:] == ["lossless", "all"]


def test_a_rule_after_another_sees_the_text_that_was_left(tmp_path):
    """Rules remember by digest what they made of a text: a changed one must have another."""
    long = "\n".join(f"{number:6}→{'word ' * 9}{number}" for number in range(1, 2000))
    agent = Agent().calls("Read", {"path": "a.py"}, long).calls("Read", {"path": "b.py"}, long + "!").says("Done.")

    for found in shares(read(agent, tmp_path)):
        assert found["all"] < found["content.cut"]
        assert found["all"] < found["lossless"]


def test_files_of_code_are_seen_as_skeletons_where_code_can_be_read(tmp_path, monkeypatch):
    body = "".join(f"    total += price({number}) * {number}  # what is added here\n" for number in range(30))
    code = "import shop\n\n" + "".join(f"def total_{number}(items):\n{body}    return total\n\n" for number in range(9))
    agent = Agent().calls("Read", {"path": "a.py"}, code).says("Done.")

    (seen,) = shares(read(agent, tmp_path))
    monkeypatch.setattr("modicum.importers.rule_watch.why_unread", lambda: "not installed")
    (unseen,) = shares(read(agent, tmp_path))

    assert seen["content.code_skeleton"] == sent_share(code, code_skeleton(code), count_tokens(code, ""), "")
    assert unseen == {name: share for name, share in seen.items() if name != "content.code_skeleton"}
