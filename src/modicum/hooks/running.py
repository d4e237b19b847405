"""One event of an agent: what is printed for it. Fails open: whatever goes wrong, nothing is printed."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from types import FrameType

from modicum.calls.containment import contain, failure_place
from modicum.hooks import records
from modicum.hooks.agents import AGENTS, HookedAgent, session_of
from modicum.hooks.policy import ACTED, OBSERVED, HookPolicy, read_policy
from modicum.hooks.session_memory import SessionMemory, forget_old
from modicum.hooks.shortening import is_chosen, shorten
from modicum.optimizers.repeats import REPEATS

WORK_S = 0.05
"""For all that is done with an event, once this file is loaded."""
MOST_NAME_CHARACTERS = 80


def run(arguments: list[str], event: bytes, work_s: float = WORK_S) -> str:
    """What is printed for an event; empty: nothing changes.

    Args:
        arguments: `after-tool` or `new-session`, the agent's name, the folder of the hooks.
        event: as the agent writes it.
        work_s: after which it is given up.
    """
    with contain():
        what, name, place = arguments[:3]
        agent, folder = AGENTS[name], Path(place)
        _limit(work_s, folder, name)
        with contain(partial(_record_failure, folder, name)):
            return _answer(what, agent, event, folder)
    return ""


def _record_failure(folder: Path, agent: str, error: Exception) -> None:
    records.record(folder, agent, {records.FAILED: f"{type(error).__name__} at {failure_place(error)}"})


def _answer(what: str, agent: HookedAgent, event: bytes, folder: Path) -> str:
    try:
        policy = read_policy(folder, agent.name)
        if policy is None:
            return ""
        if what == "new-session":
            return _begin(event, policy, folder)
        return answer_result(agent, event, policy, folder, time.time())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def answer_result(agent: HookedAgent, event: bytes, policy: HookPolicy, folder: Path, now_s: float) -> str:
    """What is printed behind a tool's call: its result with another text where the session acts, else nothing. What
    rules do, or would have done, is recorded.
    """
    payload = json.loads(event)
    result = agent.read(payload)
    if result is None:
        return ""
    arm = policy.arm(result.session) if agent.can_replace else OBSERVED
    names = frozenset(policy.rules) if policy.rules else None
    removed: dict[str, int] = {}
    text = result.text
    if is_chosen(REPEATS.name, names) and (note := SessionMemory(folder, policy, result.session).note(result, now_s)):
        removed[REPEATS.name] = len(text) - len(note)
        text = note
    elif result.may_shorten:
        for rule, shorter in shorten(result, names, partial(_record_failure, folder, agent.name)):
            removed[rule], text = len(text) - len(shorter), shorter
    if not removed:
        return ""
    line = {
        "session": policy.digest("session", result.session).hex(),
        "tool": result.tool[:MOST_NAME_CHARACTERS],
        "arm": arm,
        "characters": len(result.text),
        "removed": removed,
    }
    records.record(folder, agent.name, line)
    return json.dumps(agent.write(payload, text)) if arm == ACTED else ""


def _begin(event: bytes, policy: HookPolicy, folder: Path) -> str:
    """A session that begins anew, or was compacted, has seen nothing."""
    SessionMemory(folder, policy, session_of(json.loads(event))).forget()
    forget_old(folder)
    return ""


def _limit(work_s: float, folder: Path, agent: str) -> None:
    """Ends the process after a time, without a word to the agent. A rule that hangs cannot stand in the way."""

    def end(_number: int, _frame: FrameType | None) -> None:
        with contain():
            records.record(folder, agent, {records.TIMED_OUT: True})
        os._exit(0)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, work_s)
