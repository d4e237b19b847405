"""Where agents stand, from what their clients say of them."""

import pytest

from modicum.governance import agent_tree
from modicum.governance.agent_tree import AgentFault, AgentLimits, AgentTree, Lineage, describe, fault_of


def call(tree, agent="", parent="", *, task="T", prompt=b"", owner="o", session=False):
    return tree.place(owner, task, Lineage(agent, parent, session), lambda: prompt)


def test_depth_and_number_follow_from_who_was_started_by_whom():
    tree = AgentTree()

    assert call(tree) is None  # the main agent
    assert [call(tree, "a").depth, call(tree, "b", "a").depth, call(tree, "c", "b").depth] == [1, 2, 3]
    again = call(tree, "b", "somebody else")  # where an agent stands does not change
    assert (again.depth, again.number, again.parent) == (2, 2, "a")
    assert call(tree, "a", owner="another").number == call(tree, "a", task="another").number == 1
    assert call(tree, "a", task="") is None


def test_an_agent_above_that_nobody_knows_counts_as_the_main_one():
    tree = AgentTree()

    assert call(tree, "b", "gone").depth == 1
    assert call(tree, "a", "a").depth == 1  # itself
    assert (call(tree, "x", "y").depth, call(tree, "y", "x").depth, call(tree, "x", "y").depth) == (1, 2, 1)  # a circle


def test_sessions_below_sessions_are_one_task():
    tree = AgentTree()
    call(tree, task="s0", session=True)

    places = [call(tree, f"s{number}", f"s{number - 1}", task=f"s{number - 1}", session=True) for number in range(1, 5)]

    assert [(place.depth, place.number) for place in places] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert call(tree, "s9", "s1", task="s1", owner="another", session=True).depth == 1


def test_the_same_prompt_counts_in_agents_below_and_not_beside():
    tree = AgentTree()
    call(tree, prompt=b"main")

    assert not call(tree, "a", prompt=b"A").is_repeated
    assert not call(tree, "b", prompt=b"A").is_repeated  # beside: a vote, say
    assert call(tree, "c", "a", prompt=b"A").is_repeated
    assert call(tree, "d", "c", prompt=b"main").is_repeated  # of the first of all
    assert not call(tree, "e", "d", prompt=b"").is_repeated
    assert call(tree, "c", "a", prompt=b"other").is_repeated  # looked at once, at its first call


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        (AgentLimits(), None),
        (AgentLimits(most_depth=2), None),
        (AgentLimits(most_depth=1), AgentFault.TOO_DEEP),
        (AgentLimits(most_agents=2), None),
        (AgentLimits(most_agents=1), AgentFault.TOO_MANY),
        (AgentLimits(most_depth=0, most_agents=0, may_repeat=False), AgentFault.REPEATED),
    ],
)
def test_what_is_not_allowed(limits, fault):
    tree = AgentTree()
    call(tree, "a", prompt=b"A")
    place = call(tree, "b", "a", prompt=b"A")

    assert fault_of(place, limits) is fault


def test_sentences_agree_in_number():
    place = agent_tree.AgentPlace(2, 3, "a", b"", is_repeated=True)

    assert describe(AgentFault.TOO_DEEP, place, AgentLimits(most_depth=1)).endswith("and 1 level may be")
    assert describe(AgentFault.TOO_MANY, place, AgentLimits(most_agents=2)) == (
        "this is agent 3 of its task, and 2 agents may be"
    )
    assert "the very prompt" in describe(AgentFault.REPEATED, place, AgentLimits())


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(agent_tree, "MOST_TASKS", 3)
    monkeypatch.setattr(agent_tree, "MOST_AGENTS", 4)
    tree = AgentTree()
    for number in range(300):
        place = call(tree, f"s{number}", f"s{number * 7 % (number + 1)}", task=f"s{number // 9}", session=True)
        assert 1 <= place.depth <= 5
        assert place.number <= 5  # those that are not told apart are one too many each
    assert len(tree._tasks) <= 3
    assert all(len(one.agents) <= 4 for one in tree._tasks.values())
    assert len(tree._inside) <= 12


def test_the_agents_of_all_tasks_together_are_bounded(monkeypatch):
    monkeypatch.setattr(agent_tree, "MOST_AGENTS_IN_ALL", 5)
    tree = AgentTree()
    for task in ("t0", "t1", "t2"):
        for number in range(3):
            call(tree, f"{task}-{number}", task, task=task, session=True)

    assert {task for _, task in tree._tasks} == {"t2"}
    assert {agent for _, agent in tree._inside} == {"t2-0", "t2-1", "t2-2"}
    for number in range(9):  # of one task alone all are told apart
        place = call(tree, f"more-{number}", "t2", task="t2", session=True)
    assert (place.number, len(tree._tasks)) == (12, 1)


def test_prompts_are_compared_with_those_of_the_nearest_above_and_of_the_main_agent():
    tree, deep = AgentTree(), agent_tree.MOST_PROMPTS_ABOVE + 2
    call(tree, prompt=b"main")
    for number in range(deep):
        call(tree, f"a{number}", f"a{number - 1}", prompt=b"%d" % number)

    def repeats(name, prompt):
        return call(tree, name, f"a{deep - 1}", prompt=prompt).is_repeated

    assert repeats("x", b"main")
    assert repeats("y", b"2")
    assert not repeats("z", b"1")
