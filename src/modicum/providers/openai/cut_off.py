"""A stream of chunks, of a chat or of plain text, that is ended early."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from modicum.providers.body_parsing import encode
from modicum.providers.cut_off.stream_cut import StreamCut, is_whole
from modicum.providers.fields import listed, mapping, text

_WORDS = ("reasoning_content", "reasoning", "content", "refusal")


class _Held(NamedTuple):
    choice: int
    calls: frozenset[int]
    raw: bytes


class ChunkCut(StreamCut):
    """Chunks with calls of tools wait until their choice has its end."""

    def __init__(self) -> None:
        super().__init__()
        self._head: Mapping[str, Any] = {}
        self._held: list[_Held] = []
        self._arguments: dict[tuple[int, int], str] = {}
        """By choice and call."""
        self._finished: dict[int, bool] = {}
        """By choice, whether its end has passed."""

    def cut(self, output_tokens: int) -> bytes:  # noqa: ARG002 - usage is the provider's to tell, and it told none
        unfinished = [choice for choice, is_over in self._finished.items() if not is_over]
        passed = b"".join(self._whole_calls(choice) for choice in unfinished)
        ends = ({**self._head, "choices": [self._end_of(choice)]} for choice in unfinished)
        return passed + b"".join(b"data: %b\n\n" % encode(end) for end in ends) + b"data: [DONE]\n\n"

    def _end_of(self, choice: int) -> dict[str, Any]:
        words: dict[str, Any] = {"text": ""} if self._head.get("object") == "text_completion" else {"delta": {}}
        return {"index": choice, **words, "logprobs": None, "finish_reason": "length"}

    def _on_rest(self, raw: bytes) -> bytes:
        """Some servers end with `[DONE]` and name no reason before it."""
        if b"[DONE]" not in raw:
            return raw
        return b"".join(self._whole_calls(choice) for choice, is_over in self._finished.items() if not is_over) + raw

    def _text_of(self, event: Mapping[str, Any]) -> str:
        made = []
        for choice in map(mapping, listed(event.get("choices"))):
            delta = mapping(choice.get("delta"))
            made += [text(choice.get("text")), *(text(delta.get(name)) for name in _WORDS)]
            made += [f"{name}{arguments}" for _, name, arguments in _calls_in(delta)]
        return "".join(made)

    def _on_event(self, raw: bytes, event: Mapping[str, Any]) -> bytes:
        choices = [mapping(choice) for choice in listed(event.get("choices"))]
        if choices:
            self._head = {name: value for name, value in event.items() if name not in {"choices", "usage"}}
        before, is_held = b"", False
        for choice in choices:
            number = _number(choice)
            self._finished.setdefault(number, False)
            calls = _calls_in(mapping(choice.get("delta")))
            for call, _, arguments in calls:
                self._arguments[number, call] = self._arguments.get((number, call), "") + arguments
            finish = choice.get("finish_reason")
            if calls and not finish:
                self._held.append(_Held(number, frozenset(call for call, _, _ in calls), raw))
                is_held = True
            if finish:
                self._finished[number] = True
                before += self._whole_calls(number) if finish == "length" else self._all_of(number)
        return before if is_held else before + raw

    def _all_of(self, choice: int) -> bytes:
        passed = b"".join(one.raw for one in self._held if one.choice == choice)
        self._held = [one for one in self._held if one.choice != choice]
        return passed

    def _whole_calls(self, choice: int) -> bytes:
        """What was held back of a choice, without calls whose arguments are not whole."""
        half = {call for (own, call), given in self._arguments.items() if own == choice and not is_whole(given)}
        self._held = [one for one in self._held if one.choice != choice or not one.calls & half]
        return self._all_of(choice)


def _number(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _calls_in(delta: Mapping[str, Any]) -> list[tuple[int, str, str]]:
    """Number, name and arguments of what a delta holds of each call; the older form has one without a number."""
    found = []
    for place, call in enumerate(map(mapping, listed(delta.get("tool_calls")))):
        function, index = mapping(call.get("function")) or mapping(call.get("custom")), call.get("index")
        arguments = text(function.get("arguments"))
        found.append((index if isinstance(index, int) else place, text(function.get("name")), arguments))
    if former := mapping(delta.get("function_call")):
        found.append((-1, text(former.get("name")), text(former.get("arguments"))))
    return found
