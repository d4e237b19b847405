"""What is known of the units of a request that came before is what one reads in it."""

import json

import pytest

from modicum.calls import SegmentKind
from modicum.calls.change import Change, DoesNotFit
from modicum.providers.dialects import DIALECTS
from modicum.providers.prompt import MessagePart
from modicum.providers.repeated.seen_units import CalledTools, SeenPart, SeenRequest, seen_parts
from modicum.providers.seen_requests import SeenRequests
from providers.repeated.test_repeated_prompt import MAKERS

STEPS = [(2, "result " * 9), (1, "go on"), (2, '{"a": 1}'), (0, "done")]


@pytest.fixture(params=list(MAKERS))
def prompts(request):
    """The same request read as a whole, and where it came before."""
    dialect, seen = DIALECTS[request.param], SeenRequests()
    body = json.dumps(MAKERS[request.param](STEPS)).encode()
    assert dialect.prompt(body, seen).units
    return dialect.prompt(body), dialect.prompt(body, seen)


def looks(prompt):
    """What rules for content look at, without asking for all units."""
    described = [(unit.place, unit.text, unit.digest, unit.tokens) for unit in prompt.results]
    before = [prompt.tokens_before(unit.place) for unit in prompt.results]
    return prompt.count, [unit.tool for unit in prompt.schemas], described, before


def test_results_are_the_same_before_and_after_they_get_other_texts(prompts):
    whole, repeated = prompts
    assert looks(repeated) == looks(whole)
    places = [unit.place for unit in whole.results][-1:] or [whole.units[-1].place]
    change = Change(replaced=dict.fromkeys(places, "short"), why="w")

    whole, repeated = whole.with_texts(change), repeated.with_texts(change)

    assert looks(repeated) == looks(whole)
    for prompt in (whole, repeated):
        assert [unit.text for unit in prompt.units_at(places)] == ["short"]
        assert [unit.text for unit in prompt.units_at([0, *places])] == [prompt.units[0].text, "short"]


def test_results_are_not_asked_of_a_request_as_a_whole(prompts, monkeypatch):
    _, repeated = prompts
    monkeypatch.setattr(SeenRequest, "_conversation", lambda _self: pytest.fail("the request is read as a whole"))

    looks(repeated)


def test_what_is_more_than_text_gets_no_other_one(prompts):
    for prompt in prompts:
        place = next((unit.place for unit in prompt.units if unit.is_message and unit.text is None), None)
        if place is not None:
            with pytest.raises(DoesNotFit):
                prompt.with_texts(Change(replaced={place: "short"}))


def test_the_tool_of_a_call_is_found_however_far_in_front_it_was_called():
    calls = [MessagePart(SegmentKind.TOOL_CALL, calls=((f"c{at}", f"tool_{at}", {}),)) for at in range(20)]
    called = CalledTools([seen_parts([SeenPart(part, b"")]) for part in calls])

    assert [called.find(f"c{at}") for at in (19, 0, 7)] == ["tool_19", "tool_0", "tool_7"]
    assert called.find("nobody's") == ""
    called.add_calls([("c0", "again")])
    assert called.find("c0") == "again"
