import pytest

from gateway.warming.warm_rig import LONG, warm_rig
from modicum.gateway.warming import lifetimes
from modicum.optimizers import cache_lifetimes


def marked(ttl):
    return [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": ttl}}]


@pytest.fixture
def soon(monkeypatch):
    """Two pauses are enough."""
    monkeypatch.setattr(lifetimes, "FEWEST_PAUSES", 2)
    monkeypatch.setattr(cache_lifetimes, "FEWEST_PAUSES", 2)


def turns(name, count):
    return [f"{name}{number}" for number in range(2 * count + 1)]


def test_conversations_without_long_pauses_are_written_for_five_minutes_from_then_on(tmp_path, soon):
    with warm_rig(tmp_path, keep_warm=False, cache_ttl="shorten") as warm:
        seen = [warm.call(*turns("a", count), system=marked("1h")) for count in range(3)]
        assert [call.edits for call in seen] == [()] * 3
        assert seen[0].usage.cache_write_1h > 1024
        begun = warm.call(*turns("b", 0), system=marked("1h"), key="another-key")
        assert begun.edits == ()  # of that owner nothing is known
        first, second = (warm.call(*turns("c", count), system=marked("1h")) for count in range(2))
        for call in (first, second):
            assert [edit.rule for edit in call.edits] == ["cache.ttl_5m"]
            assert call.usage.cache_write_1h == 0
        old = warm.call(*turns("a", 3), system=marked("1h"))
        assert old.edits == ()  # it keeps the time with which it began


@pytest.mark.parametrize(("choice", "lengthens"), [("choose", True), ("shorten", False)])
def test_nothing_is_lengthened_unless_the_owner_lets_it_and_kinds_are_bounded(
    tmp_path, soon, monkeypatch, choice, lengthens
):
    monkeypatch.setattr(lifetimes, "decide_ttl", lambda *_: "1h")
    monkeypatch.setattr(lifetimes, "MOST_KINDS", 1)
    with warm_rig(tmp_path, keep_warm=False, cache_ttl=choice) as warm:
        for count in range(3):
            warm.call(*turns("a", count), system=marked("5m"))
        call = warm.call(*turns("b", 0), system=marked("5m"))
        assert [edit.rule for edit in call.edits] == ["cache.ttl_1h"] * lengthens
        warm.call("hello", system=marked("5m"), headers={"x-modicum-agent": "a"})
        assert warm.rig.gateway.parts.lifetimes.kinds == 1


def test_where_caches_are_kept_warm_nothing_is_remembered(tmp_path):
    with warm_rig(tmp_path, cache_ttl="choose") as warm:
        warm.call("hello", system=marked("1h"))
        assert warm.rig.gateway.parts.lifetimes.kinds == 0


def test_a_task_that_is_held_out_keeps_the_time_its_caller_asks_for_and_says_so(tmp_path, soon):
    with warm_rig(tmp_path, keep_warm=False, cache_ttl="shorten", hold_out=0.5) as warm:
        for count in range(3):  # of no task, so in no arm: from these it is known that five minutes do
            assert "rules.on_trial" not in warm.call(*turns("a", count), system=marked("1h")).tags
        arms = set()
        for number in range(6):
            call = warm.call(f"hello {number}", system=marked("1h"), headers={"x-modicum-task": f"t{number}"})
            is_held_out = call.tags.get("rules.held_out") == "cache.ttl"
            assert is_held_out or call.tags["rules.on_trial"] == "cache.ttl"
            assert [edit.rule for edit in call.edits] == ([] if is_held_out else ["cache.ttl_5m"])
            arms.add(is_held_out)

    assert arms == {True, False}
