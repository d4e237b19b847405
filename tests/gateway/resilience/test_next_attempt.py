"""What every further attempt leaves on record; test_attempts.py and test_moved_calls.py show the reasons for one."""

from gateway.cascades.cascade_rig import JSON_SHAPE, cascading, says
from gateway.resilience.failing_rig import error


def test_attempts_for_two_reasons_are_counted_on_one_call(tmp_path):
    with cascading(tmp_path, verifier="schema", policies=[{"retries": 1}]) as rig:
        rig.script["cheap"] = [error(503), says("no json")]
        rig.script["dear"] = [says("{}")]
        reply = rig.ask(response_format=JSON_SHAPE)
        records = rig.wait_for_records(3)

    assert reply.headers["x-modicum-attempts"] == "3"
    assert [one.tags["attempt"] for one in records] == ["1", "2", "3"]
    assert [one.tags.get("attempt.failed") for one in records] == ["overloaded", "not_believed", None]
    assert len({one.tags["attempt.of"] for one in records}) == 1
    assert sum(one.calls_count for one in records) == 1
