"""What of tool results agents used later, and whether it was still there after rules: text and tool inputs apart.

An item is a name, a path, a number of four digits or a line of 20 characters that an agent says for the first time in
its conversation, and that a tool result had shown before. It survives if a result before still shows it after the
rules; what rules leave out that follows from the rest to the byte counts as shown. A call that needed something which
did not survive is taken to read it again first, with one more call.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from modicum.calls import Call, SegmentKind
from modicum.calls.rule import Rule
from modicum.context.block_listener import BlockListener, Listeners, MeasuredBlock
from modicum.importers.claude_code.format import read
from modicum.importers.format import Reading
from modicum.importers.rule_watch import RuleWatch
from modicum.optimizers.all_rules import ALL_SET, CONTENT_RULES, LOSSLESS_RULES, LOSSLESS_SET
from modicum.optimizers.grouped_matches import matches_on_their_own
from modicum.optimizers.line_numbers import with_line_numbers

SETS = {LOSSLESS_SET: LOSSLESS_RULES, ALL_SET: CONTENT_RULES}
LITERAL = "literal"
"""The lossless rules, where only what still stands there letter by letter counts."""
FEWEST_ITEMS = 20
"""In a task of which a share is given."""
LONG_LINE = 20
REREAD_TOKENS, REREAD_OUTPUT = 1_000, 150
"""What reading a part again adds to the context, and what asking for it takes."""
_NUMBER_OF_LINE = re.compile(r"^ *\d+→", re.MULTILINE)
_PATH = re.compile(r"[\w@~-]+(?:[./][\w@~-]+)+")
_NAME = re.compile(r"[A-Za-z]\w*_\w+|[A-Za-z]*[a-z][A-Z]\w*|\b\d{4,}\b")
_SPEECH = {SegmentKind.ASSISTANT: "text", SegmentKind.TOOL_CALL: "tool_input"}


class Texts(BlockListener):
    def __init__(self) -> None:
        self.by_digest: dict[bytes, str] = {}

    def on_block(self, block: MeasuredBlock) -> None:
        self.by_digest.setdefault(block.digest, block.text)


@dataclass
class Survival:
    items: Counter[str] = field(default_factory=Counter)
    """By kind of use."""
    survived: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By set of rules and kind of use."""
    by_task: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0]))
    )
    """By set and task: items, and those that survived."""
    rereading: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By set: calls that needed something that did not survive."""
    rules: tuple[str, ...] = (*SETS, LITERAL)

    def share(self, rules: str, kinds: Iterable[str] = ("text", "tool_input")) -> float:
        items = sum(self.items[kind] for kind in kinds)
        return sum(self.survived[rules, kind] for kind in kinds) / items if items else 1.0

    def worst_share(self, rules: str) -> float:
        """The mean of the worst twentieth of tasks."""
        shares = sorted(kept / items for items, kept in self.by_task[rules].values() if items >= FEWEST_ITEMS)
        return float(np.mean(shares[: max(len(shares) // 20, 1)])) if shares else 1.0


def survival_of(paths: Sequence[Path], beside: Mapping[str, Sequence[Rule]]) -> Survival:
    """Of what agents used later, what our rules and those beside them leave."""
    sets = {**SETS, **beside}
    found = Survival(rules=(*sets, LITERAL))
    for path in paths:
        texts, watch = Texts(), RuleWatch(sets)
        reading = Reading(anatomy=True, listener=Listeners(watch, texts))
        conversations: dict[str, list[Call]] = defaultdict(list)
        for call in read(path, reading):
            if isinstance(call, Call) and call.anatomy is not None:
                conversations[call.conversation or call.task].append(call)
        for calls in conversations.values():
            _follow(calls, watch.shortened(calls), texts.by_digest, found)
    return found


def _follow(
    calls: Sequence[Call],
    shortened: Mapping[tuple[int, int], Mapping[str, str]],
    texts: Mapping[bytes, str],
    found: Survival,
) -> None:
    shown: dict[str, set[str]] = {}
    """What results have shown, and after which rules it was still there."""
    uttered: set[str] = set()
    for number, call in enumerate(calls):
        for place, part in enumerate(call.anatomy.added if call.anatomy else ()):
            text = texts.get(part.digest, "")
            if part.kind is SegmentKind.TOOL_RESULT:
                _show(text, shortened.get((number, place), {}), found.rules, shown)
                continue
            marks = _marks(text)
            if part.kind in _SPEECH:
                for mark in (marks - uttered) & shown.keys():
                    _count(mark, _SPEECH[part.kind], shown[mark], calls[number - 1], found)
            uttered |= marks


def _show(text: str, after: Mapping[str, str], sets: Sequence[str], shown: dict[str, set[str]]) -> None:
    """A result was shown; `after` is what sets of rules make of it, where that is another text."""
    marks = _marks(text)
    left_by_text: dict[tuple[str | None, bool], set[str]] = {}
    for mark in marks:
        shown.setdefault(mark, set())
    for rules in sets:
        is_literal = rules == LITERAL
        sent = after.get(LOSSLESS_SET if is_literal else rules)
        left = left_by_text.get((sent, is_literal))
        if left is None:
            full = sent if sent is None or is_literal else matches_on_their_own(with_line_numbers(sent))
            left = left_by_text[sent, is_literal] = marks if full is None else _marks(full)
        for mark in marks & left:
            shown[mark].add(rules)


def _count(mark: str, kind: str, survives: set[str], call: Call, found: Survival) -> None:
    found.items[kind] += 1
    for rules in found.rules:
        known = found.by_task[rules][call.task]
        known[0] += 1
        if rules in survives:
            found.survived[rules, kind] += 1
            known[1] += 1
        elif not mark.isdigit():
            found.rereading[rules].add(call.call_id)


def _marks(text: str) -> set[str]:
    plain = text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    names = {*_PATH.findall(plain), *_NAME.findall(plain)}
    lines = {line.strip() for line in _NUMBER_OF_LINE.sub("", plain).split("\n")}
    return names | {line for line in lines if len(line) >= LONG_LINE}


def rereading_usd(found: Survival, rules: str, entry_ids: Sequence[str], prompt: Any, rates: Any) -> Any:
    """What reading again costs, by call. (C,)"""
    needs = np.array([name in found.rereading[rules] for name in entry_ids])
    _, read_rate, write_rate, _, output_rate, _ = np.nan_to_num(rates).T
    return needs * (prompt * read_rate + REREAD_TOKENS * write_rate + REREAD_OUTPUT * output_rate)
