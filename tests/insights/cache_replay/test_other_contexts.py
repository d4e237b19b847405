import numpy as np

from insights.changes.test_contexts import SYSTEM
from insights.planted import Conversation, history_of, user
from modicum.insights.cache_replay.other_contexts import follow_contexts, measure_front
from modicum.insights.caching import Caching
from modicum.insights.finding import HistoryChange
from modicum.insights.joined_changes import JoinedContexts

HISTORY = history_of(Conversation().call(SYSTEM, user("a", 1000)).call(user("b", 500)).call(user("c", 10)))


def test_the_front_is_what_stands_before_messages():
    assert measure_front(HISTORY).tolist() == [9000, 9000, 9000]


def test_a_context_that_begins_anew_keeps_its_front_and_later_calls_all_of_the_new_one():
    shift, starts = np.array([0.0, -1000, -1000]), np.array([False, True, False])
    joined = JoinedContexts.join(HISTORY, [HistoryChange(prompt_shift=shift, starts_over=starts)])

    followed = follow_contexts(HISTORY, Caching.compute(HISTORY).calls, joined)

    assert followed.prompt.tolist() == [10_000, 9500, 9510]
    assert followed.kept.tolist()[1:] == [9000, 9500]
