import numpy as np

from insights.planted import Conversation, history_of, tool_round, user
from modicum.insights.finding import HistoryChange
from modicum.insights.joined_changes import JoinedChanges


def history():
    talk = Conversation().call(user("q", 5000))
    return history_of(talk.call(*tool_round("Read", "a", "text", 900)).call(*tool_round("Read", "b", "text", 900)))


def test_of_several_sizes_the_smallest_stands_and_none_grows():
    found = history()
    half, more = found.segment_tokens // 2, found.segment_tokens * 2

    plan = JoinedChanges.join(found, [HistoryChange(segment_tokens=half), HistoryChange(segment_tokens=more)])

    assert plan.removed_tokens.tolist() == (found.segment_tokens - half).tolist()


def test_the_last_time_to_live_stands_but_what_uses_no_cache_goes_on_so():
    found = history()
    ttls = [HistoryChange(ttl_seconds=np.array(ttl)) for ttl in ([300, 0, -1], [3600, 3600, -1])]

    assert JoinedChanges.join(found, ttls).ttl_s.tolist() == [3600, 0, -1]


def test_models_and_lanes_are_swapped_for_the_chosen_calls_only():
    found = history()
    some = np.array([True, False, True])

    plan = JoinedChanges.join(
        found,
        [
            HistoryChange(
                models={"claude-opus-4-5": "claude-haiku-4-5", "absent": "claude-sonnet-4-5"}, model_calls=some
            ),
            HistoryChange(tier="batch", tier_calls=some),
        ],
    )

    assert [plan.models[code] for code in plan.model] == ["claude-haiku-4-5", "claude-opus-4-5", "claude-haiku-4-5"]
    assert [plan.tiers[code] for code in plan.tier] == ["batch", "standard", "batch"]


def test_the_reply_of_a_dropped_call_and_its_results_go_and_what_a_person_said_stays():
    talk = Conversation().call(user("q", 5000)).call(*tool_round("Read", "a", "text", 900), user("and", 40))
    found = history_of(talk)

    plan = JoinedChanges.join(found, [HistoryChange(dropped_calls=np.array([True, False]))])

    assert plan.removed_tokens.tolist() == [0, 20, 900, 0]
