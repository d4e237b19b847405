"""A reply before it is put into a dialect."""

import json

from modicum.calls import Usage
from modicum.providers.planned_reply import PlannedReply, ReplyWriter, ToolCall


def plan(*pieces):
    return PlannedReply("ab12", "m", 1763800000, Usage(), usage_asked=True, pieces=pieces)


def test_the_text_is_its_pieces_joined():
    assert plan("the tide", " comes", " in").text == "the tide comes in"
    assert plan().text == ""


def test_arguments_of_a_call_are_written_as_clients_read_them():
    call = ToolCall("1", "tide", {"at": "Kiel", "days": [1, 2]})

    assert json.loads(call.arguments_json) == {"at": "Kiel", "days": [1, 2]}
    assert ToolCall("2", "now", {}).arguments_json == "{}"


def test_an_api_without_streams_writes_no_events():
    writer = ReplyWriter(lambda reply: reply.text.encode())

    assert writer.whole(plan("hi")) == b"hi"
    assert list(writer.events(plan("hi"))) == []
    assert writer.array is None
