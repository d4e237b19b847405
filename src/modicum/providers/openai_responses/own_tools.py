"""Tools that are answered here, in the responses API: calls and results are items."""

from collections.abc import Mapping, Sequence
from typing import Any

from modicum.calls.change import OwnTool
from modicum.providers.fields import listed, mapping, text
from modicum.providers.own_tools.shape import Hop, HopStream, OwnCall, OwnResult, OwnToolShape, arguments_of, event

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_BEGINS = frozenset({"response.created", "response.in_progress", "response.queued"})


def _schema(tool: OwnTool) -> dict[str, Any]:
    schema = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", **schema, "strict": False}


def _results(results: Sequence[OwnResult]) -> list[dict[str, Any]]:
    return [{"type": "function_call_output", "call_id": one.call_id, "output": one.text} for one in results]


def _is_own(item: Any, names: frozenset[str]) -> bool:
    return mapping(item).get("type") == "function_call" and mapping(item).get("name") in names


def _calls(item: Any) -> bool:
    return text(mapping(item).get("type")).endswith("_call")


def _hop(items: Sequence[Any], names: frozenset[str]) -> Hop:
    own = tuple(
        OwnCall(text(item.get("call_id")), text(item.get("name")), arguments_of(item.get("arguments")))
        for item in map(mapping, items)
        if _is_own(item, names)
    )
    others = any(_calls(item) and not _is_own(item, names) for item in items)
    return Hop(own, others, tuple(items))


def _read(reply: Mapping[str, Any], names: frozenset[str]) -> Hop:
    return _hop(listed(reply.get("output")), names)


def _joined(last: dict[str, Any], before: Sequence[dict[str, Any]], names: frozenset[str]) -> dict[str, Any]:
    items = [item for reply in (*before, last) for item in shown(listed(reply.get("output")), names)]
    return {**last, "output": items}


def shown(items: Sequence[Any], names: frozenset[str]) -> list[Any]:
    """The items that the caller gets: no calls of ours, and no reasoning that led to one."""
    kept: list[Any] = []
    thinking: list[Any] = []
    for item in items:
        if mapping(item).get("type") == "reasoning":
            thinking.append(item)
        elif _is_own(item, names):
            thinking = []
        else:
            kept += [*thinking, item]
            thinking = []
    return [*kept, *thinking]


class ResponsesHops(HopStream):
    """Events of one response: items and events are counted on over all streams."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(names)
        self._items: dict[int, Any] = {}
        self._places: dict[int, int] = {}
        self._next_place = self._next_number = 0
        self._id = ""
        self._before: list[Any] = []
        self._end: dict[str, Any] | None = None

    def begin_next(self) -> None:
        super().begin_next()
        self._before += shown(self._items_of_reply(), self._names)
        self._items, self._places, self._end = {}, {}, None

    def hop(self) -> Hop:
        return _hop(self._items_of_reply(), self._names)

    def pass_event(self, raw: bytes, document: dict[str, Any]) -> list[bytes]:
        kind, index = text(document.get("type")), document.get("output_index")
        if kind in _BEGINS:
            self._id = self._id or text(mapping(document.get("response")).get("id"))
            return [] if self.hops else [self.write(document)]
        if kind in _ENDS:
            self._end = document
            return []
        if not isinstance(index, int):
            return [raw] if kind == "error" else [self.write(document)]
        begins = kind == "response.output_item.added"
        if begins or kind == "response.output_item.done":
            self._items[index] = document.get("item")
        if _is_own(self._items.get(index), self._names):
            return self.drop_held()
        if mapping(self._items.get(index)).get("type") == "reasoning":
            return self.hold(document)
        return [*(self.release() if begins else ()), self.write(document)]

    def write(self, document: dict[str, Any]) -> bytes:
        changed: dict[str, Any] = {}
        index = document.get("output_index")
        if isinstance(index, int):
            if index not in self._places:
                self._places[index] = self._next_place
                self._next_place += 1
            changed["output_index"] = self._places[index]
        if "sequence_number" in document:
            changed["sequence_number"] = self._next_number
            self._next_number += 1
        return event({**document, **changed}, name=text(document.get("type")))

    def end_events(self) -> list[bytes]:
        if self._end is None:
            return self._ending
        response = dict(mapping(self._end.get("response")))
        response["output"] = [*self._before, *shown(self._items_of_reply(), self._names)]
        response["id"] = self._id or response.get("id")
        return [self.write({**self._end, "response": response}), *self._ending]

    def _items_of_reply(self) -> list[Any]:
        listed_items = listed(mapping(mapping(self._end).get("response")).get("output")) if self._end else []
        return listed_items or [self._items[index] for index in sorted(self._items)]


def _can_take(fields: Mapping[str, Any]) -> bool:
    """What the provider keeps would keep our calls too, and no later request could answer them."""
    is_kept = fields.get("store") is not False or fields.get("previous_response_id") or fields.get("conversation")
    return not is_kept and not fields.get("background")


OWN_TOOLS = OwnToolShape(_schema, "input", _results, _read, _joined, ResponsesHops, _can_take)
