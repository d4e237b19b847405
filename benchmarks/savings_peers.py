"""Other savers of tool results beside ours, as rules: each sees the same results, and is replayed by the same code.

Truncation needs nothing. headroom (`headroom-ai`) is run where it can be imported, as it is installed, without weights
and without network. rtk wraps commands before they run, and LLMLingua needs weights: neither can be run on results of
the past.
"""

import sys
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
MODEL = "claude-opus-4-5-20251101"


def peers(folder: Path | None) -> dict[str, tuple[Rule, ...]]:
    """The peers that can be run here, as sets of one rule. `folder`: where headroom is installed."""
    head = arrival_rule("peer.head", _head, safety=Safety.LOSSY, purpose="the head alone", may_fit=bool)
    found = {f"peer.head_{HEAD_TOKENS}": (head,)}
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

    def decide(prompt: Prompt, _facts: Facts) -> Change:
        question, replaced = "", dict[int, str]()
        for unit in prompt.units:
            if unit.kind is SegmentKind.USER:
                question = unit.text or question
            elif unit.kind is SegmentKind.TOOL_RESULT and (text := unit.text) and len(text) >= LEAST_CHARACTERS:
                found = shorter(unit.tool, question, text)
                if found is not None:
                    replaced[unit.place] = found
        return Change(replaced=replaced, why="headroom") if replaced else NO_CHANGE

    return Rule("peer.headroom", decide, Safety.LOSSY, is_cache_safe=True, purpose="headroom")
