"""What tools of ours answer."""

import json
from types import SimpleNamespace

import pytest

from modicum.gateway.own_tools.answers import CutReader, ToolFinder, find_tools
from modicum.optimizers.result_cut import MOST_READ_CHARACTERS, handle_of
from modicum.providers.dialects import DIALECTS
from modicum.providers.own_tools.shape import OwnCall

LONG = "".join(f"line {number}\n" for number in range(10_000))
TOOLS = {"send_mail": "Sends an e-mail to people", "book_room": "Books a room for a meeting", "plot": "Draws a chart"}


def exchange(*edits, text=LONG):
    """A call with a long result, in the Messages API."""
    use = {"type": "tool_use", "id": "t", "name": "grep", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": text}
    messages = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    tools = [{"name": name, "description": what, "input_schema": {}} for name, what in TOOLS.items()]
    body = json.dumps({"model": "m", "messages": messages, "tools": tools}).encode()
    request = SimpleNamespace(body=body, served=SimpleNamespace(dialect=DIALECTS["anthropic-messages"]))
    return SimpleNamespace(request=request, edits=edits, timing=SimpleNamespace(started_s=0.0))


def read(**arguments):
    return CutReader(exchange()).answer(OwnCall("c", "modicum_read_cut", arguments)).text


@pytest.mark.parametrize("numbers", [(100, 5_000), ("100", "5000")])
def test_what_is_asked_for_is_given_to_the_byte(numbers):
    assert read(result=handle_of(LONG), start=numbers[0], end=numbers[1]) == LONG[100:5_000]


def test_more_than_is_read_at_once_says_where_it_goes_on():
    text = read(result=handle_of(LONG), start=0, end=len(LONG))

    assert text.startswith(LONG[:MOST_READ_CHARACTERS])
    assert text.endswith(f"start={MOST_READ_CHARACTERS}]")


def test_a_result_that_other_rules_changed_before_the_cut_is_read_as_they_left_it():
    text = LONG + "\x1b[31mred\x1b[0m"
    changed = exchange(SimpleNamespace(rule="content.terminal"), text=text)
    plain = LONG + "red"
    asked = {"result": handle_of(plain), "start": len(LONG), "end": len(plain)}

    assert CutReader(changed).answer(OwnCall("c", "modicum_read_cut", asked)).text == "red"


@pytest.mark.parametrize("arguments", [{}, {"start": "x", "end": 5}, {"result": 5, "start": 1, "end": None}])
def test_a_call_that_names_nothing_is_told_how(arguments):
    assert "pass on result, start and end" in read(**arguments)


def test_a_result_that_is_not_there_any_more_is_said():
    assert "no result of that name" in read(result="00000000", start=0, end=5)


@pytest.mark.parametrize(("start", "end"), [(-5, 3), (9, 2), (10**9, 10**9 + 5)])
def test_odd_ranges_give_what_there_is(start, end):
    assert read(result=handle_of(LONG), start=start, end=end) == LONG[max(start, 0) : max(end, start, 0)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("plot", ["plot"]),
        ("send_mail, plot", ["send_mail", "plot"]),
        ("I want to book a room", ["book_room"]),
        ("mails to people", ["send_mail"]),
        ("xyzzy", []),
        ("", []),
    ],
)
def test_tools_are_found_by_name_or_by_what_they_are_for(query, found):
    assert find_tools(TOOLS, query) == found


def test_what_was_found_is_remembered_and_what_was_not_is_said():
    remembered = []
    finder = ToolFinder(exchange(), remembered.append)

    assert finder.answer(OwnCall("c", "modicum_find_tools", {"query": "draw a chart"})).found == {"plot"}
    assert "there are: book_room, plot, send_mail" in finder.answer(OwnCall("c", "x", {"query": "xyzzy"})).text
    assert remembered == [{"plot"}]
