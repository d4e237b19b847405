"""Agents of a history, and where they stood."""

from insights.planted import Conversation, history_of, said, user
from modicum.insights.rules.agent_replay import agent_places


def test_an_agent_that_is_given_what_its_task_was_given_is_a_repetition():
    main = Conversation("0", task="t").call(user("do it all", 100)).call(said("I start one"))
    same = Conversation("a", task="t", agent="a").call(user("do it all", 100))
    other = Conversation("b", task="t", agent="b").call(user("read the tests", 100)).call(said("well"))

    places = {place.number: place for _, place in agent_places(history_of(main, same, other), {})}

    assert [(one.depth, one.is_repeated) for _, one in sorted(places.items())] == [(1, True), (1, False)]


def test_the_one_above_is_the_one_that_is_named():
    talks = [Conversation(name, task="t", agent=name).call(user(name, 100)) for name in ("a", "b", "c")]

    history = history_of(*talks)
    names = [history.agents[agent] for agent in history.agent]
    parents = {names.index("b"): "a", names.index("c"): "b"}

    assert {names[call]: place.depth for call, place in agent_places(history, parents)} == {"a": 1, "b": 2, "c": 3}
