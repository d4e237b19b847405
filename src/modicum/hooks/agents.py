"""The agents that have hooks: where their settings lie, what an event says, and how a result is replaced.

Each was written from its documentation of November 2026. What an event of an older or newer version has in another
shape is not read, and the result stays as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Payload = Mapping[str, Any]


class HookedResult(NamedTuple):
    """What a tool returned, out of an agent's event."""

    tool: str
    text: str
    session: str
    """The session, and the agent within it: another one has another context."""
    call_id: str
    """The tool call's id; empty where the agent gives none."""
    question: str
    """The tool's arguments, as a text."""
    may_shorten: bool = True
    """Whether lines may be left out. Not where the agent numbers them itself: they would be other lines then."""


class HookedAgent(NamedTuple):
    """An agent as its documentation describes its hooks."""

    name: str
    title: str
    file: tuple[str, ...]
    """The user's settings, below the home folder."""
    folder_variable: str
    """The environment variable that names another folder for them; empty: there is none."""
    after_tool: str
    """The event behind a tool's call."""
    timeout: int
    """After how long the agent gives a hook up, in its own unit; two seconds."""
    can_replace: bool
    """Whether a hook may replace what a tool returned."""
    read: Callable[[Payload], HookedResult | None]
    write: Callable[[Payload, str], Payload]
    has_status_line: bool = False
    is_plugin: bool = False
    """Its hooks are a file of our own, and no entries in the user's settings."""
    parts_below_variable: int = 1
    """How many of the last parts of `file` lie below the folder that the environment variable names."""
    after_install: str = ""
    """What the user must do before it runs."""


_TEXT_FIELDS = {"Bash": "stdout", "Grep": "content", "WebFetch": "result"}
"""Tools of Claude Code and the field of their result that the model is shown."""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def session_of(payload: Payload) -> str:
    """The session that an event belongs to, and the agent within it."""
    return f"{_text(payload.get('session_id'))}/{_text(payload.get('agent_id'))}"


def _result(payload: Payload, text: str, *, may_shorten: bool = True) -> HookedResult | None:
    if not text:
        return None
    return HookedResult(
        tool=_text(payload.get("tool_name")),
        text=text,
        session=session_of(payload),
        call_id=_text(payload.get("tool_use_id")),
        question=str(payload.get("tool_input") or ""),
        may_shorten=may_shorten,
    )


def _text_block(content: object) -> int | None:
    """The one block of text among blocks; None: there are several, or none."""
    if not isinstance(content, list):
        return None
    places = [
        place
        for place, block in enumerate(content)
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    ]
    return places[0] if len(places) == 1 else None


def _read_claude(payload: Payload) -> HookedResult | None:
    tool, response = _text(payload.get("tool_name")), payload.get("tool_response")
    if tool.startswith("mcp__"):
        if isinstance(response, list) and (place := _text_block(response)) is not None:
            return _result(payload, response[place]["text"])
        return _result(payload, _text(response))
    if not isinstance(response, dict) or response.get("isImage"):  # its text is then an image's bytes
        return None
    if tool == "Read":
        file = response.get("file")
        is_text = response.get("type") == "text" and isinstance(file, dict)
        return _result(payload, _text(file.get("content")), may_shorten=False) if is_text and file else None
    field = _TEXT_FIELDS.get(tool)
    return _result(payload, _text(response.get(field))) if field else None


def _write_claude(payload: Payload, text: str) -> Payload:
    """The result in its own shape, which Claude Code asks for, with another text."""
    tool, response = payload["tool_name"], payload["tool_response"]
    updated: object
    if isinstance(response, list):
        place = _text_block(response)
        updated = [{**block, "text": text} if at == place else block for at, block in enumerate(response)]
    elif isinstance(response, str):
        updated = text
    elif tool == "Read":
        updated = {**response, "file": {**response["file"], "content": text, "numLines": text.count("\n") + 1}}
    else:
        # The copy that a long output has on disk would be shown in the place of the text.
        own = {name: value for name, value in response.items() if not name.startswith("persistedOutput")}
        updated = {**own, _TEXT_FIELDS[tool]: text}
    return {"hookSpecificOutput": {"hookEventName": "PostToolUse", "updatedToolOutput": updated}}


def _read_gemini(payload: Payload) -> HookedResult | None:
    response = payload.get("tool_response")
    if not isinstance(response, dict) or response.get("error"):
        return None
    tool = _text(payload.get("tool_name"))
    return _result(payload, _text(response.get("llmContent")), may_shorten=tool != "read_file")


def _write_gemini(payload: Payload, text: str) -> Payload:
    del payload
    return {"hookSpecificOutput": {"hookEventName": "AfterTool", "tool_output": text}}


def _read_codex(payload: Payload) -> HookedResult | None:
    return _result(payload, _text(payload.get("tool_response")))


def _read_opencode(payload: Payload) -> HookedResult | None:
    """Its own tool for files numbers their lines."""
    tool = _text(payload.get("tool_name"))
    return _result(payload, _text(payload.get("tool_response")), may_shorten=tool != "read")


def _write_opencode(payload: Payload, text: str) -> Payload:
    del payload
    return {"output": text}


def _write_nothing(payload: Payload, text: str) -> Payload:
    del payload, text
    return {}


AGENTS: dict[str, HookedAgent] = {
    agent.name: agent
    for agent in (
        HookedAgent(
            name="claude-code",
            title="Claude Code",
            file=(".claude", "settings.json"),
            folder_variable="CLAUDE_CONFIG_DIR",
            after_tool="PostToolUse",
            timeout=2,
            can_replace=True,
            read=_read_claude,
            write=_write_claude,
            has_status_line=True,
        ),
        HookedAgent(
            name="gemini-cli",
            title="Gemini CLI",
            file=(".gemini", "settings.json"),
            folder_variable="",
            after_tool="AfterTool",
            timeout=2_000,
            can_replace=True,
            read=_read_gemini,
            write=_write_gemini,
        ),
        HookedAgent(
            name="codex",
            title="Codex",
            file=(".codex", "hooks.json"),
            folder_variable="CODEX_HOME",
            after_tool="PostToolUse",
            timeout=2,
            can_replace=False,
            read=_read_codex,
            write=_write_nothing,
            after_install="open /hooks in Codex and trust the two new hooks: it runs none before",
        ),
        HookedAgent(
            name="opencode",
            title="opencode",
            file=(".config", "opencode", "plugins", "modicum.js"),
            folder_variable="XDG_CONFIG_HOME",
            after_tool="tool.execute.after",
            timeout=2_000,
            can_replace=True,
            read=_read_opencode,
            write=_write_opencode,
            is_plugin=True,
            parts_below_variable=3,
            after_install="start opencode again: it loads plugins when it starts",
        ),
    )
}
