"""What an import does beyond a bill: calls of a conversation in their order, and what is known only while text passes.

`read_logs` loads this file when anatomy is asked for: a bill looks at no text, and starts a tenth faster without it.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from modicum.calls import Call, Problem
from modicum.context.block_listener import Listeners
from modicum.context.logged_order import in_order
from modicum.context.secret_scan import SecretScan
from modicum.context.tool_result_reuse import ReuseWatch
from modicum.importers.forks import BookedIn, anchored
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.rule_watch import RuleWatch

OWN_ORDER = ("claude-code", "codex", "gemini-cli", "qwen-code", "opencode")
"""Sources that write a conversation into one file, in its order."""


def read_with_listeners(log_format: LogFormat, path: Path, reading: Reading) -> Found:
    """The calls of a file, with what can only be known while their text passes: exposure, reuse, and what rules would
    have made of tool results.
    """
    if not reading.watches_text:
        yield from log_format.read(path, reading)
        return
    scan, reuse, rules = SecretScan(), ReuseWatch(), RuleWatch(uses_counts=reading.count is None)
    calls = log_format.read(path, replace(reading, listener=Listeners(scan, reuse, rules)))
    for item in rules.add_shortenings(reuse.add_reuse(calls)):
        yield item if isinstance(item, Problem) else scan.tagged(item)


def order_conversations(calls: Iterable[Call | Problem], booked_in: BookedIn | None) -> Found:
    """The calls of all files in the order of their conversations, each booked for one conversation only."""
    return anchored(in_order(calls, OWN_ORDER), booked_in)
