"""POST /toy/talk: a text in, a text out. All that gateway and mock provider need to know of it stands here."""

import re
from typing import Any, ClassVar

import msgspec

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.body_parsing import (
    UNREADABLE,
    check_model_name,
    encode,
    join_output,
    parse_request,
    parse_usage,
    unreadable_reply,
)
from modicum.providers.dialect import Dialect, DialectApi, Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.planned_reply import ReplyWriter
from modicum.providers.stream import EventTail


class Request(msgspec.Struct):
    model: str | None = None
    text: str = ""
    stream: bool = False
    limit: int | None = None


class Reply(msgspec.Struct):
    id: str = ""
    model: str = ""
    says: str = ""
    tokens: Any = None
    end: str = ""
    oops: str = ""


request = msgspec.json.Decoder(Request)
reply = msgspec.json.Decoder(Reply)


def usage_from(tokens):
    return Usage(input_uncached=tokens["in"], output_visible=tokens["out"])


def end(plan):
    tokens = plan.usage and {"in": plan.usage.prompt_tokens, "out": plan.usage.completion_tokens}
    return {"id": plan.reply_id, "model": plan.model, "tokens": tokens, "end": plan.finish}


def whole(plan):
    return encode({**end(plan), "says": plan.text})


def events(plan):
    for event in (*({"says": piece} for piece in plan.pieces), end(plan)):
        yield b"data: %b\n\n" % encode(event)


class ToyTail(EventTail):
    WORTH_READING: ClassVar = re.compile(b'"end"|"oops"')

    def on_event(self, event):
        self.reply_id, self.model = event.get("id", ""), event.get("model", "")
        self.usage, _ = parse_usage(usage_from, event.get("tokens"))
        self.error_kind = event.get("oops", "")
        self.complete = self.usage_final = "end" in event

    def generated_text(self, event):
        return event.get("says", "")


class ToyTalk(Dialect):
    name = "toy-talk"
    api = DialectApi("toy", b"x-toy-key", b"", provider="mistral")
    paths: ClassVar = {"/toy/talk": Target("/talk"), "/toy/count": Target("/count", is_call=False)}
    area = re.compile("/toy/")
    stream_ends = (b'"end"',)
    overloaded_status = 599
    writer = ReplyWriter(whole, events)

    def request(self, body, path):  # noqa: ARG002 - the path tells nothing here
        said = parse_request(request, body)
        return RequestFacts(model=check_model_name(said.model), stream=said.stream, most_output_tokens=said.limit)

    @staticmethod
    def blocks_of(request):
        return [Block(SegmentKind.USER, request["text"])]

    def reply(self, body):
        try:
            said = reply.decode(body)
        except UNREADABLE:
            return unreadable_reply(body)
        usage, problem = parse_usage(usage_from, said.tokens)
        made, size = ("", 0) if usage else join_output([Block(SegmentKind.ASSISTANT, said.says)])
        return ReplyFacts(
            reply_id=said.id,
            model=said.model,
            usage=usage,
            usage_final=usage is not None,
            finish_reason=said.end,
            complete=bool(said.end),
            error_kind=said.oops,
            output_text=made,
            output_chars=size,
            problem=problem,
        )

    def tail(self, usage_asked):  # noqa: ARG002 - usage comes unasked
        return ToyTail()

    def error(self, status, message, kind):  # noqa: ARG002 - the dialect has no place for it
        return encode({"oops": kind, "message": message})


DIALECT = ToyTalk()
