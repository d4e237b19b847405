"""OpenAI chat completions and their streams as responses. Source, 2026-11:
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modicum.providers.body_parsing import encode, error_kind_of, identifier, parse_usage
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.stream import usage_in
from modicum.providers.openai.usage import MAIN_COUNTS, responses_usage, usage_from
from modicum.providers.openai_responses.dialect import DIALECT
from modicum.providers.translation.events import DONE, Events
from modicum.providers.translation.kept_thinking import sealed
from modicum.providers.translation.translation import reply_with_one_choice, unusable_reply

Json = dict[str, Any]


def reply(body: bytes, created: int, custom_tools: frozenset[str] = frozenset()) -> bytes:  # noqa: ARG001 - calls say it
    """A chat completion's reply as a response; see `Translation.reply`."""
    parsed, choices = reply_with_one_choice(body)
    choice = mapping(choices[0])
    items = _Items(_plain(parsed.get("id")))
    items.add(mapping(choice.get("message")))
    items.close()
    response = _response(parsed, created, _status(choice.get("finish_reason")), items.done)
    return encode(response | {"usage": _usage(usage_in(parsed, choices))})


def _plain(reply_id: Any) -> str:
    return identifier(reply_id).removeprefix("chatcmpl-")


def _status(finish: Any) -> str:
    return "incomplete" if finish in {"length", "content_filter"} else "completed"


def _response(parsed: Mapping[str, Any], created: int, status: str, output: list[Json]) -> Json:
    finish = mapping(next(iter(listed(parsed.get("choices"))), {})).get("finish_reason")
    reason = "content_filter" if finish == "content_filter" else "max_output_tokens"
    return {
        "id": f"resp_{_plain(parsed.get('id'))}",
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": identifier(parsed.get("model")),
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    }


def _usage(usage: Any) -> Json | None:
    counts, _ = parse_usage(usage_from, usage, MAIN_COUNTS)
    return None if counts is None else responses_usage(counts)


class _Items:
    """Deltas, or one whole message, as items of a response and the events that tell of them."""

    def __init__(self, reply_id: str) -> None:
        self._reply_id = reply_id
        self.done: list[Json] = []
        self._open: Json = {}
        self._key = ""
        self._blocks: list[Json] = []

    def add(self, delta: Mapping[str, Any]) -> list[Json]:
        """The events of what the delta adds."""
        return list(self._add(delta))

    def _add(self, delta: Mapping[str, Any]) -> Iterator[Json]:
        self._blocks += [dict(mapping(block)) for block in listed(delta.get("thinking_blocks"))]
        if thought := text(delta.get("reasoning_content")) or text(delta.get("reasoning")):
            yield from self._begin("reasoning")
            yield from self._grow(thought)
        if self._blocks and self._key != "reasoning" and not (self.done or self._open):
            yield from self._begin("reasoning")
        if answer := text(delta.get("content")):
            yield from self._begin("message")
            yield from self._grow(answer)
        if refusal := text(delta.get("refusal")):
            yield from self._begin("refusal")
            yield from self._grow(refusal)
        for note in map(mapping, listed(delta.get("annotations"))):
            yield from self._annotate(note)
        for place, call in enumerate(map(mapping, listed(delta.get("tool_calls")))):
            yield from self._call(call, place)

    def _begin(self, key: str, **fields: Any) -> Iterator[Json]:
        """The events that make an item of this kind the open one."""
        if self._key == key:
            return
        yield from self.close()
        self._key = key
        place = len(self.done)
        names = {"reasoning": "rs", "message": "msg", "refusal": "msg"}
        item_id = f"{names.get(key, 'fc')}_{self._reply_id}_{place}"
        if key == "reasoning":
            item: Json = {"id": item_id, "type": "reasoning", "summary": []}
        elif key in {"message", "refusal"}:
            item = {"id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        else:
            item = {"id": item_id, "status": "in_progress", **fields}
        self._open = {"item": item, "text": "", "annotations": []}
        yield {"type": "response.output_item.added", "output_index": place, "item": dict(item)}
        at = self._at()
        if key == "reasoning":
            yield {"type": "response.reasoning_summary_part.added", **at, "summary_index": 0, "part": _summary("")}
        elif key in {"message", "refusal"}:
            yield {"type": "response.content_part.added", **at, "content_index": 0, "part": self._part()}

    def _at(self) -> Json:
        return {"item_id": self._open["item"]["id"], "output_index": len(self.done)}

    def _part(self) -> Json:
        if self._key == "refusal":
            return {"type": "refusal", "refusal": self._open["text"]}
        notes = list(self._open["annotations"])
        return {"type": "output_text", "text": self._open["text"], "annotations": notes, "logprobs": []}

    def _grow(self, words: str) -> Iterator[Json]:
        self._open["text"] += words
        at = self._at()
        if self._key == "reasoning":
            yield {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0, "delta": words}
        elif self._key == "refusal":
            yield {"type": "response.refusal.delta", **at, "content_index": 0, "delta": words}
        elif self._key == "message":
            yield {"type": "response.output_text.delta", **at, "content_index": 0, "delta": words, "logprobs": []}
        elif self._open["item"]["type"] == "custom_tool_call":
            yield {"type": "response.custom_tool_call_input.delta", **at, "delta": words}
        else:
            yield {"type": "response.function_call_arguments.delta", **at, "delta": words}

    def _annotate(self, note: Mapping[str, Any]) -> Iterator[Json]:
        """Of the words that came before it."""
        if self._key != "message":
            return
        wire = {"type": "url_citation", **mapping(note.get("url_citation"))}
        self._open["annotations"].append(wire)
        index = len(self._open["annotations"]) - 1
        at = {**self._at(), "content_index": 0, "annotation_index": index}
        yield {"type": "response.output_text.annotation.added", **at, "annotation": wire}

    def _call(self, call: Mapping[str, Any], place: int) -> Iterator[Json]:
        index = call.get("index")
        key = f"call {index if isinstance(index, int) else place}"
        custom, function = mapping(call.get("custom")), mapping(call.get("function"))
        name = text(custom.get("name")) or text(function.get("name"))
        if key != self._key:
            if not name:
                raise unusable_reply("a tool call names no function, or goes on behind its end")
            kind = {"type": "custom_tool_call", "input": ""} if custom else {"type": "function_call", "arguments": ""}
            yield from self._begin(key, **kind, call_id=text(call.get("id")), name=name)
        if part := text(custom.get("input")) or text(function.get("arguments")):
            yield from self._grow(part)

    def close(self) -> list[Json]:
        """The events that end the open item, if there is one."""
        return list(self._close()) if self._open else []

    def _close(self) -> Iterator[Json]:
        item, words, at = self._open["item"], self._open["text"], self._at()
        if self._key == "reasoning":
            if words:
                yield {"type": "response.reasoning_summary_text.done", **at, "summary_index": 0, "text": words}
                item["summary"] = [_summary(words)]
            yield {"type": "response.reasoning_summary_part.done", **at, "summary_index": 0, "part": _summary(words)}
            if kept := sealed(self._blocks):
                item["encrypted_content"] = kept
        elif self._key in {"message", "refusal"}:
            part, at = self._part(), {**at, "content_index": 0}
            if self._key == "message":
                yield {"type": "response.output_text.done", **at, "text": words, "logprobs": []}
            else:
                yield {"type": "response.refusal.done", **at, "refusal": words}
            yield {"type": "response.content_part.done", **at, "part": part}
            item["content"] = [part]
        elif item["type"] == "custom_tool_call":
            yield {"type": "response.custom_tool_call_input.done", **at, "input": words}
            item["input"] = words
        else:
            words = words or "{}"
            yield {"type": "response.function_call_arguments.done", **at, "name": item["name"], "arguments": words}
            item["arguments"] = words
        if "status" in item:
            item["status"] = "completed"
        yield {"type": "response.output_item.done", "output_index": len(self.done), "item": item}
        self.done.append(item)
        self._open, self._key = {}, ""


def _summary(words: str) -> Json:
    return {"type": "summary_text", "text": words}


class StreamForResponses:
    """Chunks become events; the last one holds the whole response, and waits for the usage."""

    def __init__(self, *, created: int) -> None:
        self._events = Events()
        self._created = created
        self._first: Mapping[str, Any] = {}
        self._items = _Items("")
        self._finish = ""
        self._usage: Any = None
        self._number = 0
        self._over = False

    def feed(self, chunk: bytes) -> bytes:
        return self._translate(self._events.feed(chunk))

    def end(self) -> bytes:
        out = self._translate(self._events.end())
        return out + (self._write(self._last()) if self._finish and not self._over else b"")

    def _translate(self, chunks: Iterable[Mapping[str, Any]]) -> bytes:
        out: list[bytes] = []
        try:
            out += (self._write(self._chunk(chunk)) for chunk in chunks if not self._over)
        except DialectError as wrong:
            if not self._over:
                self._over = True
                out.append(DIALECT.error_event(wrong.status, wrong.message, wrong.kind))
        return b"".join(out)

    def _write(self, events: Iterable[Json]) -> bytes:
        out: list[bytes] = []
        for event in events:
            out.append(
                b"event: %b\ndata: %b\n\n"
                % (event["type"].encode(), encode({**event, "sequence_number": self._number}))
            )
            self._number += 1
        return b"".join(out)

    def _chunk(self, chunk: Mapping[str, Any]) -> Iterator[Json]:
        if chunk is DONE:
            if self._finish:
                yield from self._last()
            return
        choices = listed(chunk.get("choices"))
        if not choices and (kind := error_kind_of(chunk)):
            message = text(mapping(chunk.get("error")).get("message"))
            raise DialectError(502, message or "the upstream reports an error", kind)
        self._usage = usage_in(chunk, choices) or self._usage
        if not self._first:
            self._first = {"id": chunk.get("id"), "model": chunk.get("model")}
            self._items = _Items(_plain(chunk.get("id")))
            begun = _response(self._first, self._created, "in_progress", [])
            yield {"type": "response.created", "response": begun}
            yield {"type": "response.in_progress", "response": begun}
        for choice in map(mapping, choices):
            if choice.get("index"):
                raise unusable_reply("it holds more than one choice")
            yield from self._items.add(mapping(choice.get("delta")))
            self._finish = text(choice.get("finish_reason")) or self._finish

    def _last(self) -> Iterator[Json]:
        self._over = True
        yield from self._items.close()
        status = _status(self._finish)
        whole = {**self._first, "choices": [{"finish_reason": self._finish}]}
        response = _response(whole, self._created, status, self._items.done)
        yield {"type": f"response.{status}", "response": response | {"usage": _usage(self._usage)}}
