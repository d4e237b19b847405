import json
from pathlib import Path

from modicum.importers.agents.codex_parents import ParentRows, parent_rollout, totals

THREAD = "0199a1b2-0000-7000-8000-00000000000a"


def rollout(path, *inputs):
    def row(total):
        usage = {"input_tokens": total, "output_tokens": 1}
        return {"payload": {"type": "token_count", "info": {"total_token_usage": usage, "last_token_usage": {}}}}

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row(total)) + "\n" for total in inputs) + '{"token_count": broken\n')
    return path


def counts(total):
    return (total, 0, 0, 1, 0, 0, 0, 0, 0, 0)


def test_unchanged_totals_are_one(tmp_path):
    assert totals(rollout(tmp_path / "a.jsonl", 5, 5, 9)) == (counts(5), counts(9))


def test_a_copy_may_begin_anywhere_and_ends_for_good(tmp_path):
    parent = ParentRows(rollout(tmp_path / "a.jsonl", 5, 9, 14, 20))

    assert [parent.repeats(counts(total)) for total in (9, 14, 15, 20)] == [True, True, False, False]


def test_a_child_that_starts_with_its_own_totals_repeats_nothing(tmp_path):
    parent = ParentRows(rollout(tmp_path / "a.jsonl", 5, 9))

    assert [parent.repeats(counts(total)) for total in (4, 5, 9)] == [False, False, False]
    assert not ParentRows(None).repeats(counts(5))


def test_a_parent_lies_on_the_day_that_its_id_names(tmp_path):
    made_on = Path("2025/10/01")  # the time within the id, in UTC
    parent = rollout(tmp_path / "sessions" / made_on / f"rollout-x-{THREAD}.jsonl", 5)
    child = rollout(tmp_path / "sessions" / "2025" / "12" / "24" / "rollout-y-child.jsonl", 5)

    assert parent_rollout(child, THREAD) == parent
    assert parent_rollout(parent, THREAD) is None  # a thread is not its own parent
    assert parent_rollout(child, "../../etc") is None
    assert parent_rollout(child, "not-a-uuid") is None
