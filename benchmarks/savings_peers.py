"""Other savers of tool results beside ours, as rules: each sees the same results, and is replayed by the same code.

Truncation needs nothing. headroom (`headroom-ai`) is run where it can be imported, as it is installed, without weights
and without network. rtk wraps commands before they run, and LLMLingua needs weights: neither can be run on results of
the past.
"""

import sys
from pathlib import Path
from typing import Any

from modicum.calls.prompt import CHARACTERS_PER_TOKEN
from modicum.calls.rule import Rule, Safety
from modicum.optimizers.arrival import arrival_rule

HEAD_TOKENS = 4_000
MODEL = "claude-opus-4-5-20251101"


def peers(folder: Path | None) -> dict[str, tuple[Rule, ...]]:
    """The peers that can be run here, as sets of one rule. `folder`: where headroom is installed."""
    found = {f"peer.head_{HEAD_TOKENS}": (_rule("head", _head),)}
    if folder is not None:
        sys.path.append(str(folder))
        from headroom import compress  # type: ignore[import-not-found]

        found["peer.headroom"] = (_rule("headroom", lambda text: _compressed(compress, text)),)
    return found


def _rule(name: str, edit: Any) -> Rule:
    return arrival_rule(f"peer.{name}", edit, safety=Safety.LOSSY, purpose=name, may_fit=bool)


def _head(text: str) -> str:
    most = HEAD_TOKENS * CHARACTERS_PER_TOKEN
    return text if len(text) <= most else f"{text[:most]}\n[truncated]"


def _compressed(compress: Any, text: str) -> str:
    call = {"type": "tool_use", "id": "a", "name": "Read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": text}
    messages = [
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    content = compress(messages, model=MODEL).messages[-1]["content"][0]["content"]
    return content if isinstance(content, str) else text
