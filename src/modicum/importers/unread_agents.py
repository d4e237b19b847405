"""Agents whose logs may lie in a home folder and cannot be read: a user who sees nothing of them should know why.

Whoever gets a format of its own in `read_logs.FORMATS` is passed over here by that name.
"""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import NamedTuple

GATEWAY = "calls sent through the gateway are counted (docs/gateway.md)"


class UnreadAgent(NamedTuple):
    """An agent, and where it keeps what cannot be read."""

    title: str
    place: Path
    remedy: str = GATEWAY


class _Agent(NamedTuple):
    title: str
    patterns: tuple[str, ...]
    """Below the home folder, the folder of data, or that of an application's settings, by the first part."""
    format_name: str = ""
    """The format that reads it, where there is one some day."""
    remedy: str = GATEWAY


_AGENTS = (
    _Agent(
        "Cursor",
        ("app/Cursor/User/globalStorage/state.vscdb", "home/.cursor/chats"),
        remedy="export its usage as CSV (cursor.com/dashboard, Usage) and name that file",
    ),
    _Agent("GitHub Copilot in VS Code", ("app/Code/User/workspaceStorage/*/chatSessions",)),
    _Agent("GitHub Copilot CLI", ("home/.copilot/session-state", "home/.copilot/history-session-state"), "copilot-cli"),
    _Agent("Cline", ("app/*/User/globalStorage/saoudrizwan.claude-dev/tasks",), "cline"),
    _Agent("Roo Code", ("app/*/User/globalStorage/rooveterinaryinc.roo-cline/tasks",), "cline"),
    _Agent("Kilo Code", ("app/*/User/globalStorage/kilocode.kilo-code/tasks",), "cline"),
    _Agent("pi", ("home/.pi/agent/sessions",), "pi"),
    _Agent("Amp", ("data/amp/threads",), "amp"),
    _Agent("Goose", ("data/goose/sessions",), "goose"),
    _Agent("Droid", ("home/.factory/sessions",), "droid"),
    _Agent("Kimi", ("home/.kimi/sessions",), "kimi"),
    _Agent("Crush", ("data/crush/*.db",), "crush"),
    _Agent("Zed", ("data/zed/threads", "app/Zed/threads"), "zed"),
    _Agent("Windsurf", ("home/.codeium/windsurf/cascade",)),
    _Agent("Antigravity", ("home/.gemini/antigravity/conversations",)),
    _Agent("Kiro", ("app/Kiro/User/globalStorage/kiro.kiroagent", "home/.kiro/sessions", "data/kiro-cli")),
    _Agent("Amazon Q", ("data/amazon-q",)),
    _Agent("Junie", ("home/.junie/sessions",)),
    _Agent("Continue", ("home/.continue/sessions",)),
    _Agent("OpenHands", ("home/.openhands/sessions", "home/.openhands/conversations")),
    _Agent("Augment", ("home/.augment/sessions",)),
    _Agent("Warp", ("home/.local/state/warp-terminal/warp.sqlite",)),
    _Agent("Mistral Vibe", ("home/.vibe/logs/session",)),
    _Agent("Grok CLI", ("home/.grok/sessions",)),
    _Agent("OpenClaw", ("home/.openclaw/agents/*/sessions",)),
    _Agent("Hermes", ("home/.hermes/state.db",)),
)


def find_unread(home: Path, environment: Mapping[str, str], readable: Container[str]) -> list[UnreadAgent]:
    """The agents that left something in this home folder and that no format reads, each with one place.

    Args:
        home: the home folder.
        environment: where the desktop standard's folders may stand.
        readable: names of formats.
    """
    roots = _roots(home, environment)
    found = []
    for agent in _AGENTS:
        if agent.format_name not in readable:
            places = (place for pattern in agent.patterns for place in _matching(roots, pattern))
            if (place := next((place for place in places if _holds_anything(place)), None)) is not None:
                found.append(UnreadAgent(agent.title, place, agent.remedy))
    return found


def _roots(home: Path, environment: Mapping[str, str]) -> dict[str, tuple[Path, ...]]:
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    library = home / "Library" / "Application Support"
    return {"home": (home,), "data": (data, library), "app": (settings, library)}


def _matching(roots: Mapping[str, tuple[Path, ...]], pattern: str) -> list[Path]:
    root, _, rest = pattern.partition("/")
    return [place for folder in roots[root] for place in sorted(folder.glob(rest))]


def _holds_anything(place: Path) -> bool:
    """Whether it is a file, or a folder in which something is: one that was installed and never used has neither."""
    try:
        return place.is_file() or next(place.iterdir(), None) is not None
    except OSError:
        return False
