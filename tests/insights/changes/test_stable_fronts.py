"""What another order of tools, of keys, or another machine may have cost."""

import pytest

from insights.planted import PRICES, Conversation, history_of, said, schema, user
from modicum.calls import Anatomy, Usage, UserError
from modicum.insights.changes.stable_fronts import FRONT_RULES
from modicum.insights.finding import FindingClass
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if

MAIL, SEARCH, INSTRUCTIONS = schema("mail", 3000), schema("search", 3000), user("be brief", 2000)


def conversation(*front, lost=True, name="t", **fields):
    """Two calls; the second sends this front before the same words, and reads nothing where that was lost."""
    one = Conversation(name, **fields).call(MAIL, SEARCH, INSTRUCTIONS)
    added = *front, INSTRUCTIONS, said("hello"), user("go on", 50)
    tokens = sum(part.tokens for part in added)
    usage = Usage(0, 0 if lost else 8000, tokens if lost else tokens - 8000, 0, 30)
    return one.call(usage=usage, anatomy=Anatomy(0, 0, tuple(added)))


def found(rule, *conversations):
    history = history_of(*conversations)
    change = parse_what_if(f"rules={rule}", history, PRICES)
    flags = change.change.unbroken
    return change, 0 if flags is None else int(flags.sum()), Replay(history, PRICES)


def test_the_same_tools_in_another_order_would_have_kept_their_cache():
    change, calls, replays = found("cache.tool_order", conversation(SEARCH, MAIL))

    assert (change.finding_class, calls) == (FindingClass.REPLAYED, 1)
    assert replays.run([change.change]).saving_usd > 0


@pytest.mark.parametrize("front", [(MAIL, schema("other", 3000)), (SEARCH,)])
def test_other_tools_are_no_other_order(front):
    assert found("cache.tool_order", conversation(*front))[1] == 0


def grown(lost, **fields):
    """A second call whose record shows a context that had only grown."""
    one = Conversation(**fields).call(MAIL, SEARCH, INSTRUCTIONS)
    return one.call(said("hello"), user("go on", 50), **({"usage": Usage(0, 0, 8070, 0, 30)} if lost else {}))


@pytest.mark.parametrize("lost", [True, False])
def test_a_cache_with_tools_that_was_lost_without_a_cause_may_be_an_order_of_keys(lost):
    change, calls, _ = found("cache.key_order", grown(lost))

    assert (change.finding_class, calls) == (FindingClass.UPPER_BOUND, int(lost))
    assert "at most this" in change.notes[0]


def test_a_cache_that_openai_lost_may_be_on_another_machine():
    fields = {"provider": "openai", "model": "gpt-4.1"}
    one = Conversation(**fields)
    one.call(INSTRUCTIONS, usage=Usage(input_uncached=2000, output_visible=30))
    one.call(said("hello"), user("go on", 50), usage=Usage(input_uncached=2070, output_visible=30))

    change, calls, _ = found("cache.key", one)

    assert (change.finding_class, calls) == (FindingClass.UPPER_BOUND, 1)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("cache.tool_order", "no schemas of tools"),
        ("cache.key_order", "no schemas of tools"),
        ("tools.on_demand", "no schemas of tools"),
        ("cache.key", "no call here went to OpenAI"),
        ("cache.volatile_facts", "modicum optimize report"),
    ],
)
def test_what_a_history_does_not_show_is_refused_with_what_to_do(rule, why):
    history = history_of(Conversation().call(INSTRUCTIONS))

    with pytest.raises(UserError, match=why):
        parse_what_if(f"rules={rule}", history, PRICES)


def test_every_rule_of_fronts_is_there():
    assert list(FRONT_RULES) == ["cache.tool_order", "cache.key_order", "cache.key"]
