"""Tools that are answered here, in the Messages API: a call is a block of the reply, its result one of the user's."""

from collections.abc import Mapping, Sequence
from typing import Any

from modicum.calls.change import OwnTool
from modicum.providers.fields import listed, mapping, text
from modicum.providers.own_tools.shape import Hop, HopStream, OwnCall, OwnResult, OwnToolShape, arguments_of, event

_CALLS, _END = "tool_use", "end_turn"
"""Why a reply ended that calls tools, and why one that calls none."""
_THINKING = frozenset({"thinking", "redacted_thinking"})


def _schema(tool: OwnTool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _results(results: Sequence[OwnResult]) -> list[dict[str, Any]]:
    blocks = [{"type": "tool_result", "tool_use_id": one.call_id, "content": one.text} for one in results]
    return [{"role": "user", "content": blocks}]


def _hop(blocks: Sequence[Mapping[str, Any]], names: frozenset[str]) -> Hop:
    uses = [block for block in blocks if block.get("type") == "tool_use"]
    own = tuple(
        OwnCall(text(block.get("id")), text(block.get("name")), mapping(block.get("input")))
        for block in uses
        if block.get("name") in names
    )
    return Hop(own, len(own) < len(uses), ({"role": "assistant", "content": list(blocks)},))


def _read(reply: Mapping[str, Any], names: frozenset[str]) -> Hop:
    return _hop([mapping(block) for block in listed(reply.get("content"))], names)


def _joined(last: dict[str, Any], before: Sequence[dict[str, Any]], names: frozenset[str]) -> dict[str, Any]:
    blocks = [block for reply in (*before, last) for block in shown(listed(reply.get("content")), names)]
    ends = {"stop_reason": _END} if last.get("stop_reason") == _CALLS and _read(last, names).goes_on else {}
    return {**last, "content": blocks, **ends}


def shown(blocks: Sequence[Any], names: frozenset[str]) -> list[Any]:
    """The blocks that the caller gets: no calls of ours, and no thinking that led to one."""
    kept: list[Any] = []
    thinking: list[Any] = []
    for block in blocks:
        if mapping(block).get("type") in _THINKING:
            thinking.append(block)
        elif mapping(block).get("type") == "tool_use" and mapping(block).get("name") in names:
            thinking = []
        else:
            kept += [*thinking, block]
            thinking = []
    return [*kept, *thinking]


class MessagesHops(HopStream):
    """Blocks are counted on over all streams."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(names)
        self._next_index = 0
        self._indexes: dict[int, int] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[int, list[str]] = {}

    def begin_next(self) -> None:
        super().begin_next()
        self._indexes, self._blocks, self._pieces = {}, {}, {}

    def hop(self) -> Hop:
        return _hop([self._whole(index) for index in sorted(self._blocks)], self._names)

    def pass_event(self, raw: bytes, document: dict[str, Any]) -> list[bytes]:
        kind, index = document.get("type"), document.get("index")
        if kind == "message_start":
            return [] if self.hops else [raw]
        if kind in {"message_delta", "message_stop"}:
            self._ending.append(self._end_event(raw, document))
            return []
        if not isinstance(index, int):
            return [raw]
        begins = kind == "content_block_start"
        if begins:
            self._blocks[index], self._pieces[index] = dict(mapping(document.get("content_block"))), []
        else:
            self._add(index, mapping(document.get("delta")))
        if self._is_own(index):
            return self.drop_held()
        if self._is_thinking(index):
            return self.hold(document)
        return [*(self.release() if begins else ()), self.write(document)]

    def write(self, document: dict[str, Any]) -> bytes:
        index = document["index"]
        if index not in self._indexes:
            self._indexes[index] = self._next_index
            self._next_index += 1
        return event({**document, "index": self._indexes[index]}, name=text(document.get("type")))

    def _end_event(self, raw: bytes, document: dict[str, Any]) -> bytes:
        delta = mapping(document.get("delta"))
        if delta.get("stop_reason") != _CALLS or not self.hop().goes_on:
            return raw
        return event({**document, "delta": {**delta, "stop_reason": _END}}, name="message_delta")

    def _is_own(self, index: int) -> bool:
        block = self._blocks.get(index, {})
        return block.get("type") == "tool_use" and block.get("name") in self._names

    def _is_thinking(self, index: int) -> bool:
        return self._blocks.get(index, {}).get("type") in _THINKING

    def _add(self, index: int, delta: Mapping[str, Any]) -> None:
        block = self._blocks.get(index)
        if block is None:
            return
        for name in ("text", "thinking", "signature"):
            if name in delta:
                block[name] = text(block.get(name)) + text(delta[name])
        if "citation" in delta:
            block["citations"] = [*listed(block.get("citations")), delta["citation"]]
        if "partial_json" in delta:
            self._pieces[index].append(text(delta["partial_json"]))

    def _whole(self, index: int) -> dict[str, Any]:
        block = self._blocks[index]
        if block.get("type") == "tool_use" and self._pieces[index]:
            return {**block, "input": arguments_of("".join(self._pieces[index]))}
        return block


OWN_TOOLS = OwnToolShape(_schema, "messages", _results, _read, _joined, MessagesHops, lambda _fields: True)
