"""What tools of ours answer: lines that were cut out of results, and tools of the caller that were left out."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import takewhile

from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.gateway.exchange import Exchange
from modicum.gateway.own_tools.loop import ToolAnswer
from modicum.optimizers.all_rules import CONTENT_RULES
from modicum.optimizers.lexical_scores import lexical_scores
from modicum.optimizers.result_cut import CUT, MOST_READ_CHARACTERS, READ_TOOL, read_cut
from modicum.optimizers.running import prompt_in
from modicum.optimizers.tools_on_demand import FIND_TOOL
from modicum.providers.fields import mapping, text
from modicum.providers.json_values import decoded
from modicum.providers.own_tools.shape import OwnCall, tools_in
from modicum.providers.prompt import RequestPrompt

MOST_FOUND = 3
"""Tools that one search brings back."""


class CutReader:
    """Gives what was cut out of a result, from the request itself as it was before the cut: its caller sent all of it.
    So nothing is kept, it goes with the conversation, and nobody reads what is not his.
    """

    names = frozenset({READ_TOOL.name})

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def answer(self, call: OwnCall) -> ToolAnswer:
        """The characters that are asked for."""
        handle, start, end = (call.arguments.get(name) for name in ("result", "start", "end"))
        start, end = _number(start), _number(end)
        if start is None or end is None:
            return ToolAnswer(
                "[modicum: pass on result, start and end as the line says that begins with '[modicum cut:']"
            )
        found = read_cut(self._texts(), text(handle), start, end)
        if found is None:
            return ToolAnswer("[modicum: no result of that name stands in this conversation any more]")
        if end - start > MOST_READ_CHARACTERS and len(found) == MOST_READ_CHARACTERS:
            return ToolAnswer(f"{found}\n[modicum: the rest begins with start={start + len(found)}]")
        return ToolAnswer(found)

    def _texts(self) -> Iterator[str]:
        """Those that a cut may name: as they came, which is what code is cut from, and as other rules left them."""
        request = self._exchange.request
        for prompt in (prompt_in(request.served.dialect, request.body), self._prompt_before_cut()):
            yield from (unit.text for unit in prompt.results if unit.text is not None)

    def _prompt_before_cut(self) -> Prompt:
        """The request as the rules for content left it that came before the cut: they make the same of it again."""
        request = self._exchange.request
        prompt = prompt_in(request.served.dialect, request.body)
        facts = Facts(at=datetime.fromtimestamp(self._exchange.timing.started_s, UTC), model="")
        applied = {edit.rule for edit in self._exchange.edits}
        for rule in takewhile(lambda rule: rule is not CUT, CONTENT_RULES):
            if rule.name in applied and isinstance(prompt, RequestPrompt):
                change = rule.decide(prompt, facts)
                if isinstance(change, Change) and change.is_of_texts_alone:
                    prompt = prompt.with_texts(change)
        return prompt


class ToolFinder:
    """Brings tools of the caller back, by name or by what they are for.

    Args:
        exchange: the call.
        remember: is told of tools that were found.
    """

    names = frozenset({FIND_TOOL})

    def __init__(self, exchange: Exchange, remember: Callable[[frozenset[str]], None]) -> None:
        self._exchange, self._remember = exchange, remember

    def answer(self, call: OwnCall) -> ToolAnswer:
        """Which tools can be called from now on."""
        described = {
            name: described_tool(mapping(decoded(bytes(raw)))) for name, raw in tools_in(self._exchange.request.body)
        }
        found = find_tools(described, text(call.arguments.get("query")))
        if not found:
            return ToolAnswer(f"[modicum: no tool fits; there are: {', '.join(sorted(described))}]")
        self._remember(frozenset(found))
        return ToolAnswer(f"These tools can be called now: {', '.join(found)}.", frozenset(found))


def find_tools(described: Mapping[str, str], query: str) -> list[str]:
    """The names of tools that a query names, else of those whose descriptions say most about it.

    Args:
        described: what each is for, by name.
        query: a name, or what is to be done.
    """
    named = [name for name in described if name and name in query.replace(",", " ").split()]
    if named or not query.strip():
        return named
    names = list(described)
    spoken = [[f"{name.replace('_', ' ').replace('-', ' ')} {described[name]}"] for name in names]
    scores = {
        name: score[0] for name, score in zip(names, lexical_scores(spoken, [""] * len(names), query), strict=True)
    }
    best = sorted((name for name in names if scores[name] > 0), key=lambda name: (-scores[name], name))
    return best[:MOST_FOUND]


def described_tool(schema: Mapping[str, object]) -> str:
    """What a tool is for, as its schema says."""
    inner = mapping(schema.get("function")) or schema
    return text(inner.get("description"))


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return value if isinstance(value, int) else None
