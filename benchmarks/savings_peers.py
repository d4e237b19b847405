"""Other savers of tool results beside ours, as rules: each sees the same results, and is replayed by the same code.

Truncation needs nothing, nor do two of the rankings that LLMLingua is compared with (BM25 and gzip, of blocks of lines,
by the question that was open). headroom (`headroom-ai`) is run where it can be imported, as it is installed, without
weights and without network. rtk wraps commands before they run, so it cannot be run on results of the past, and
LLMLingua itself needs weights.
"""

import math
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import CHARACTERS_PER_TOKEN, Prompt
from modicum.calls.rule import Rule, Safety
from modicum.optimizers.arrival import LEAST_CHARACTERS, arrival_rule

HEAD_TOKENS = 4_000
BLOCK_LINES = 10
_WORD = re.compile(r"\w+")
MODEL = "claude-opus-4-5-20251101"


def peers(folder: Path | None) -> dict[str, tuple[Rule, ...]]:
    """The peers that can be run here, as sets of one rule. `folder`: where headroom is installed."""
    head = arrival_rule("peer.head", _head, safety=Safety.LOSSY, purpose="the head alone", may_fit=bool)
    found = {f"peer.head_{HEAD_TOKENS}": (head,)}
    for name, rank in (("bm25", _bm25), ("gzip", _gzip)):
        found[f"peer.{name}_{HEAD_TOKENS}"] = (_ranked(f"peer.{name}", rank),)
    if folder is not None:
        sys.path.append(str(folder))
        from headroom import compress

        found["peer.headroom"] = (_headroom(compress),)
    return found


def _head(text: str) -> str:
    most = HEAD_TOKENS * CHARACTERS_PER_TOKEN
    return text if len(text) <= most else f"{text[:most]}\n[truncated]"


def _headroom(compress: Any) -> Rule:
    """It treats tools by their names and looks at the question, so it is handed both."""

    @cache
    def shorter(tool: str, question: str, text: str) -> str | None:
        call = {"type": "tool_use", "id": "a", "name": tool, "input": {}}
        result = {"type": "tool_result", "tool_use_id": "a", "content": text}
        messages = [
            {"role": "user", "content": question or "Go on."},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
        content = compress(messages, model=MODEL).messages[-1]["content"][0]["content"]
        return content if isinstance(content, str) and len(content) < len(text) else None

    return _by_question("peer.headroom", shorter)


def _ranked(name: str, rank: Callable[[Sequence[str], str], Sequence[float]]) -> Rule:
    """The blocks of a result that fit the question best, in their order, up to as many tokens as the head has."""
    most = HEAD_TOKENS * CHARACTERS_PER_TOKEN

    @cache
    def shorter(_tool: str, question: str, text: str) -> str | None:
        if len(text) <= most:
            return None
        lines = text.split("\n")
        blocks = ["\n".join(lines[start : start + BLOCK_LINES]) for start in range(0, len(lines), BLOCK_LINES)]
        scores = rank(blocks, question)
        chosen, left = set[int](), most
        for place in sorted(range(len(blocks)), key=lambda one: (-scores[one], one)):
            if len(blocks[place]) < left:
                chosen.add(place)
                left -= len(blocks[place]) + 1
        return "\n".join(blocks[place] for place in sorted(chosen)) or text[:most]

    return _by_question(name, shorter)


def _bm25(blocks: Sequence[str], question: str) -> Sequence[float]:
    bags = [Counter(_WORD.findall(block.lower())) for block in blocks]
    lengths = [bag.total() for bag in bags]
    mean = sum(lengths) / len(lengths) or 1.0
    scores = [0.0] * len(blocks)
    for word in set(_WORD.findall(question.lower())):
        holders = [place for place, bag in enumerate(bags) if word in bag]
        rarity = math.log(1 + (len(bags) - len(holders) + 0.5) / (len(holders) + 0.5))
        for place in holders:
            count = bags[place][word]
            scores[place] += rarity * count * 2.5 / (count + 1.5 * (0.25 + 0.75 * lengths[place] / mean))
    return scores


def _gzip(blocks: Sequence[str], question: str) -> Sequence[float]:
    """Less the normalised compression distance."""
    asked = len(zlib.compress(question.encode()))
    alone = [len(zlib.compress(block.encode())) for block in blocks]
    both = [len(zlib.compress(f"{question} {block}".encode())) for block in blocks]
    return [-(two - min(asked, one)) / max(asked, one) for one, two in zip(alone, both, strict=True)]


def _by_question(name: str, shorter: Callable[[str, str, str], str | None]) -> Rule:
    """A rule that is handed a result with its tool and the question that was open."""

    def decide(prompt: Prompt, _facts: Facts) -> Change:
        question, replaced = "", dict[int, str]()
        for unit in prompt.units:
            if unit.kind is SegmentKind.USER:
                question = unit.text or question
            elif unit.kind is SegmentKind.TOOL_RESULT and (text := unit.text) and len(text) >= LEAST_CHARACTERS:
                found = shorter(unit.tool, question, text)
                if found is not None:
                    replaced[unit.place] = found
        return Change(replaced=replaced, why=name) if replaced else NO_CHANGE

    return Rule(name, decide, Safety.LOSSY, is_cache_safe=True, purpose=name)
