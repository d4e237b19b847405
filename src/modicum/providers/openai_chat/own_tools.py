"""Tools that are answered here, in chat: calls stand beside the words of a message, each result is a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from modicum.calls.change import OwnTool
from modicum.providers.fields import listed, mapping, text
from modicum.providers.own_tools.shape import Hop, HopStream, OwnCall, OwnResult, OwnToolShape, arguments_of, event

_CALLS = "tool_calls"
"""Why a reply ended that calls tools."""
_REASONING = "reasoning_content", "reasoning"
"""Fields in which some providers put what the model thought."""


def _schema(tool: OwnTool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _results(results: Sequence[OwnResult]) -> list[dict[str, Any]]:
    return [{"role": "tool", "tool_call_id": one.call_id, "content": one.text} for one in results]


def _is_own(call: Mapping[str, Any], names: frozenset[str]) -> bool:
    return mapping(call.get("function")).get("name") in names


def _hop(message: Mapping[str, Any], names: frozenset[str]) -> Hop:
    calls = [mapping(call) for call in listed(message.get("tool_calls"))]
    own = tuple(
        OwnCall(text(call.get("id")), text(function.get("name")), arguments_of(function.get("arguments")))
        for call in calls
        if _is_own(call, names) and (function := mapping(call.get("function")))
    )
    return Hop(own, len(own) < len(calls), (message,))


def _read(reply: Mapping[str, Any], names: frozenset[str]) -> Hop:
    return _hop(_message(reply), names)


def _message(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = listed(reply.get("choices"))
    return mapping(mapping(choices[0]).get("message")) if choices else {}


def _joined(last: dict[str, Any], before: Sequence[dict[str, Any]], names: frozenset[str]) -> dict[str, Any]:
    choices = listed(last.get("choices"))
    if not choices:
        return last
    message = dict(_message(last))
    texts = [text(_message(reply).get("content")) for reply in (*before, last)]
    if any(texts):
        message["content"] = "".join(texts)
    if "tool_calls" in message:
        left = [call for call in listed(message["tool_calls"]) if not _is_own(mapping(call), names)]
        message["tool_calls"] = left
        if not left:
            del message["tool_calls"]
    choice = {**mapping(choices[0]), "message": message}
    if choice.get("finish_reason") == _CALLS and not message.get("tool_calls"):
        choice["finish_reason"] = "stop"
    return {**last, "choices": [choice]}


class ChatHops(HopStream):
    """Chunks of one completion: they keep the id of the first."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(names)
        self._first: dict[str, Any] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._places: dict[int, int] = {}
        self._next_place = 0
        self._message: dict[str, list[str]] = {}

    def begin_next(self) -> None:
        super().begin_next()
        self._calls, self._places, self._message = {}, {}, {}

    def hop(self) -> Hop:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._message.get("content", [])) or None}
        message |= {name: "".join(pieces) for name, pieces in self._message.items() if name != "content"}
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        return _hop(message, self._names)

    def pass_event(self, raw: bytes, document: dict[str, Any]) -> list[bytes]:
        if not self._first:
            self._first = {name: document[name] for name in ("id", "created") if name in document}
        choices = listed(document.get("choices"))
        choice = mapping(choices[0]) if choices else {}
        if not choice or choice.get("finish_reason"):  # a reason comes alone, or with the last words
            self._ending.append(self._end_chunk(document, choice))
            return []
        edited = self._edited(document, choice)
        if edited is document and not self.hops:
            return [raw]
        return [] if edited is None else [self.write(edited)]

    def _end_chunk(self, document: dict[str, Any], choice: Mapping[str, Any]) -> bytes:
        if not choice:  # usage
            return self.write(document)
        edited = self._edited(document, choice) or {**document, "choices": [{**choice, "delta": {}}]}
        if choice.get("finish_reason") == _CALLS and self.hop().goes_on:
            edited = {**edited, "choices": [{**edited["choices"][0], "finish_reason": "stop"}]}
        return self.write(edited)

    def write(self, document: dict[str, Any]) -> bytes:
        return event({**document, **self._first})

    def _edited(self, document: dict[str, Any], choice: Mapping[str, Any]) -> dict[str, Any] | None:
        """The chunk without calls of ours; None: there is nothing else in it."""
        delta = dict(mapping(choice.get("delta")))
        for name in ("content", *_REASONING):
            if isinstance(delta.get(name), str):
                self._message.setdefault(name, []).append(delta[name])
        calls = [mapping(call) for call in listed(delta.get("tool_calls"))]
        if not calls and not (self.hops and "role" in delta):
            return document
        others = [placed for call in calls if (placed := self._add(call)) is not None]
        delta.pop("tool_calls", None)
        if self.hops:
            delta.pop("role", None)  # said already: clients add up what comes twice
        if others:
            delta["tool_calls"] = others
        if not any(delta.values()):
            return None
        return {**document, "choices": [{**choice, "delta": delta}]}

    def _add(self, piece: Mapping[str, Any]) -> dict[str, Any] | None:
        """A piece of a call, at the place that the caller sees; None: it is of a tool of ours."""
        index = piece.get("index")
        index = index if isinstance(index, int) else 0
        given = mapping(piece.get("function"))
        call = self._calls.setdefault(index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
        call["id"] = call["id"] or text(piece.get("id"))
        call["function"]["name"] += text(given.get("name"))
        call["function"]["arguments"] += text(given.get("arguments"))
        if _is_own(call, self._names):
            return None
        if index not in self._places:
            self._places[index] = self._next_place
            self._next_place += 1
        return {**piece, "index": self._places[index]}


def _can_take(fields: Mapping[str, Any]) -> bool:
    return fields.get("n") in {None, 1} and not fields.get("store")


OWN_TOOLS = OwnToolShape(_schema, "messages", _results, _read, _joined, ChatHops, _can_take)
