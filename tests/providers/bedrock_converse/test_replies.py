import json

from modicum.calls import Usage
from modicum.providers.bedrock_converse.dialect import DIALECT
from modicum.providers.bedrock_converse.replies import frames, whole
from modicum.providers.planned_reply import PlannedReply, ToolCall

PLAN = PlannedReply(
    "abc",
    "m",
    0,
    Usage(10, output_visible=4),
    True,  # noqa: FBT003 - as the mock does
    ("Pa", "ris"),
    "hm",
    (ToolCall("t1", "look", {"a": 1}),),
    "tool_calls",
)


def test_whole_and_framed_tell_the_same():
    tail = DIALECT.tail(usage_asked=True)
    for frame in frames(PLAN):
        tail.feed(frame)
    streamed, told = tail.facts(), DIALECT.reply(whole(PLAN))

    assert streamed.usage == told.usage == PLAN.usage
    assert streamed.finish_reason == told.finish_reason == "tool_use"
    kinds = [next(iter(block)) for block in json.loads(whole(PLAN))["output"]["message"]["content"]]
    assert kinds == ["reasoningContent", "text", "toolUse"]
