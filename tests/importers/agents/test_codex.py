import json
import shutil
from pathlib import Path

import pytest

from modicum.calls import Call, Tier
from modicum.calls.caveats import CHANGED_LANE
from modicum.importers import read_calls
from modicum.importers.agents.codex import difference
from modicum.importers.format import Reading

FIXTURES = Path(__file__).parent.parent / "fixtures" / "codex"


def ids_and_times(paths, **options):
    found = read_calls(paths, Reading(**options))
    return [(call.call_id, call.started, call.finished, call.usage) for call in found if isinstance(call, Call)]


def test_a_copy_of_the_parents_rows_is_found_in_the_folders_of_other_days(tmp_path):
    parent, child = min(FIXTURES.glob("rollout-*.jsonl")), FIXTURES / "fork-with-copy.jsonl"
    day, archive = tmp_path / "sessions" / "2026" / "03" / "02", tmp_path / "archived_sessions"
    day.mkdir(parents=True)
    archive.mkdir()
    shutil.copy(child, day / child.name)
    alone = ids_and_times([day])
    shutil.copy(parent, archive / parent.name)

    assert len(alone) == 3  # nobody can tell the copy without its parent
    assert ids_and_times([day]) == alone[2:]  # and the ids of the others stay the same


def test_a_bill_and_an_anatomy_see_the_same_calls():
    assert ids_and_times([FIXTURES], anatomy=False) == ids_and_times([FIXTURES], anatomy=True)


def test_what_one_call_added_to_the_totals():
    assert difference((10, 0, 0, 1, 0), (30, 5, 0, 3, 1), (99, 0, 0, 0, 0)) == (20, 5, 0, 2, 1)
    assert difference(None, (30, 0, 0, 3, 0), (20, 0, 0, 2, 0)) == (20, 0, 0, 2, 0)  # goes on from another thread
    assert difference(None, (30, 0, 0, 3, 0), (0, 0, 0, 0, 0)) == (30, 0, 0, 3, 0)
    assert difference((30, 0, 0, 3, 0), (7, 0, 0, 1, 0), (7, 0, 0, 1, 0)) == (7, 0, 0, 1, 0)  # set back


def counted(number):
    usage = {"input_tokens": 100 * number, "cached_input_tokens": 0, "output_tokens": 10 * number}
    last = {"input_tokens": 100, "cached_input_tokens": 0, "output_tokens": 10}
    return "token_count", {"info": {"total_token_usage": usage, "last_token_usage": last}}


def chosen(lane):
    settings = {"model": "gpt-5.5"} | ({} if lane is None else {"service_tier": lane})
    return "thread_settings_applied", {"thread_settings": settings}


def lanes(tmp_path, *events):
    """Lane and caveats of each call of a rollout with these events."""
    rows = [("session_meta", {"id": "t"}), ("turn_context", {"model": "gpt-5.5"})]
    rows += [("event_msg", {"type": kind, **payload}) for kind, payload in events]
    path = tmp_path / "rollout-t.jsonl"
    path.write_text(
        "".join(
            json.dumps({"timestamp": f"2026-08-20T10:00:{place:02}Z", "type": kind, "payload": payload}) + "\n"
            for place, (kind, payload) in enumerate(rows)
        )
    )
    calls = [found for found in read_calls([path], Reading()) if isinstance(found, Call)]
    return [(call.tier, call.charges.caveats) for call in calls]


@pytest.mark.parametrize(
    ("word", "tier", "caveats"),
    [
        (None, Tier.STANDARD, ()),
        ("default", Tier.STANDARD, ()),
        ("priority", Tier.PRIORITY, ()),
        ("fast", Tier.PRIORITY, ()),
        ("flex", Tier.FLEX, ()),
        ("turbo", Tier.STANDARD, ("service_tier=turbo",)),
        (7, Tier.STANDARD, ("service_tier",)),
    ],
)
def test_a_call_is_in_the_lane_of_the_settings_in_force(word, tier, caveats, tmp_path):
    assert lanes(tmp_path, chosen(word), counted(1)) == [(tier, caveats)]


def test_a_lane_holds_until_another_is_chosen(tmp_path):
    events = [chosen("priority"), counted(1), counted(2), chosen(None), counted(3)]

    assert [tier for tier, _ in lanes(tmp_path, *events)] == [Tier.PRIORITY, Tier.PRIORITY, Tier.STANDARD]


@pytest.mark.parametrize("end", ["task_complete", "turn_aborted"])
def test_a_lane_that_is_chosen_while_a_turn_runs_is_for_the_next_one(end, tmp_path):
    begin, end = ("task_started", {}), (end, {})
    events = [begin, counted(1), chosen("priority"), counted(2), end, begin, counted(3), end]

    assert lanes(tmp_path, *events) == [
        (Tier.STANDARD, ()),
        (Tier.STANDARD, (CHANGED_LANE,)),
        (Tier.PRIORITY, ()),
    ]


def test_without_settings_the_lane_is_the_standard_one(tmp_path):
    assert lanes(tmp_path, ("task_started", {}), counted(1)) == [(Tier.STANDARD, ())]


def test_a_number_in_either_count_of_a_call_is_named(tmp_path):
    for holder in ("total_token_usage", "last_token_usage"):
        kind, payload = counted(1)
        payload["info"][holder]["smell_tokens"] = 7

        assert lanes(tmp_path, (kind, payload)) == [(Tier.STANDARD, ("usage.smell_tokens",))]
