from gateway.warming.warm_rig import LONG, warm_rig

MARK = {"type": "ephemeral", "ttl": "1h"}
SYSTEM = [{"type": "text", "text": LONG, "cache_control": MARK}]


def test_what_is_kept_warm_is_written_for_five_minutes(tmp_path):
    with warm_rig(tmp_path) as warm:
        call = warm.call("hello", system=SYSTEM)

        assert call.usage.cache_write_5m > 1024
        assert call.usage.cache_write_1h == 0
        assert [edit.rule for edit in call.edits] == ["cache.short_marks"]
        assert warm.ping(275, call) == 1
        assert warm.rig.wait_for_records(2)[-1].usage.cache_read == call.usage.cache_write_5m


def test_what_gets_no_pings_keeps_its_hour(tmp_path):
    with warm_rig(tmp_path) as warm:
        thinking = {"type": "enabled", "budget_tokens": 1024}
        assert warm.call("hello", system=SYSTEM, thinking=thinking, max_tokens=2000).usage.cache_write_1h > 1024
    with warm_rig(tmp_path / "other", keep_warm=False) as warm:
        assert warm.call("hello", system=SYSTEM).usage.cache_write_1h > 1024


def test_agents_within_a_task_need_no_hour(tmp_path):
    with warm_rig(tmp_path) as warm:
        call = warm.call("look it up", system=SYSTEM, headers={"x-modicum-agent": "a"})

        assert (call.usage.cache_write_1h, [edit.rule for edit in call.edits]) == (0, ["cache.short_marks"])


def test_a_task_that_is_held_out_keeps_its_hour_gets_no_ping_and_says_so(tmp_path):
    with warm_rig(tmp_path, hold_out=0.5) as warm:
        arms = set()
        for number in range(6):
            call = warm.call(f"hello {number}", system=SYSTEM, headers={"x-modicum-task": f"t{number}"})
            is_held_out = call.tags.get("rules.held_out") == "keep_warm"
            assert is_held_out or call.tags["rules.on_trial"] == "keep_warm"
            assert bool(call.edits) is not is_held_out
            assert warm.keeper.conversations == (0 if is_held_out else 1)
            warm.keeper.forget(lambda _: True)
            arms.add(is_held_out)

    assert arms == {True, False}
