"""What a call was made for, in a user's own words: the skill, plugin, server and subagent, and the kind of work.

Late versions write the first four into their rows (`attributionSkill` and its like); these words stand. Of earlier
versions a transcript tells as much as its tools and prompts do: a skill holds from the call of the tool `Skill`, or
from the command that was expanded, until the user speaks again; a subagent's name stands in the call of the tool that
started it. The kind of work is by the tools that a reply calls; `WORK_RULE` says how.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from modicum.providers.fields import label, mapping, text
from modicum.providers.json_values import decoded

SKILL, PLUGIN, SERVER, SUBAGENT, WORK = "skill", "plugin", "mcp", "subagent", "work"
"""Names of the tags."""
SKILL_TOOL = "Skill"
SUBAGENT_TOOLS = frozenset({"Task", "Agent"})
TALK = "talk"
_LOCAL_OUTPUT = "<local-command-stdout>"
_INTERRUPT = "[Request interrupted"
_COMMAND = re.compile(r"<command-name>/?([^<\n]{1,200})</command-name>")
_SERVER_TOOL = re.compile(r"mcp__(.+?)__")
_PLUGIN_SERVER = re.compile(r"plugin_([^_]+(?:-[^_]+)*)_")
_TEST = re.compile(
    r"\b(pytest|unittest|tox|nox|jest|vitest|mocha|rspec|phpunit|ctest|playwright test|"
    r"(?:go|cargo|npm|pnpm|yarn|bun|deno|make|mise run|mix|dotnet|mvn|gradle|gradlew|swift|rake)(?: run)? test)\b"
)
_GIT = re.compile(r"(?:^|[;&|]\s*)(?:git|gh|glab|jj)\s")
_BY_TOOL = {
    **dict.fromkeys(("Edit", "MultiEdit", "Write", "NotebookEdit"), "edit"),
    **dict.fromkeys(SUBAGENT_TOOLS, "delegate"),
    **dict.fromkeys(("WebFetch", "WebSearch"), "web"),
    **dict.fromkeys(("Read", "Grep", "Glob", "LS", "NotebookRead", "LSP", "ToolSearch"), "read"),
    **dict.fromkeys(
        ("TodoWrite", "TaskCreate", "TaskUpdate", "TaskList", "TaskGet", "EnterPlanMode", "ExitPlanMode"), "plan"
    ),
    "AskUserQuestion": TALK,
    SKILL_TOOL: "skill",
}
_ORDER = ("edit", "test", "git", "run", "delegate", "web", "mcp", "read", "skill", "plan", "other", TALK)
WORK_RULE = (
    "work is by the tools that a reply calls, the first of these that it has: edit (Edit, Write), test (a command with"
    " a test runner), git (a command with git or gh), run (any other command), delegate (a subagent), web (fetch,"
    " search), mcp (a tool of a server), read (files, searches), skill, plan (todos, plan mode), other tools, talk"
    " (no tool)"
)


class AttributedRow(msgspec.Struct, gc=False, rename="camel"):
    """What a row of a late version says itself. Anything, so that an odd value spoils no row."""

    attribution_skill: Any = None
    attribution_plugin: Any = None
    attribution_mcp_server: Any = None
    attribution_agent: Any = None


def logged_tags(row: AttributedRow) -> dict[str, str]:
    """What the row says."""
    words = {
        SKILL: row.attribution_skill,
        PLUGIN: row.attribution_plugin,
        SERVER: row.attribution_mcp_server,
        SUBAGENT: row.attribution_agent,
    }
    return {name: word for name, value in words.items() if value is not None and (word := label(value))}


class ThreadAttribution:
    """What the calls of one conversation are for, as its rows come.

    Args:
        subagent: its name, where the log tells it.
    """

    def __init__(self, subagent: str = "") -> None:
        self._subagent = subagent
        self._skill = ""
        self._command = ""

    def add_prompt(self, words: str) -> None:
        """What the user wrote: the skill that was at work ends."""
        if _LOCAL_OUTPUT in words:
            self._command = ""  # it ran in the client, and no model saw it
            return
        if _INTERRUPT in words:
            return  # the client's words
        self._skill = ""
        found = _COMMAND.search(words)
        self._command = found[1].strip() if found else ""

    def add_meta_row(self) -> None:
        """A row that the client wrote: behind a command it is what the command was expanded to."""
        if self._command:
            self._skill, self._command = self._command, ""

    def tags(self) -> dict[str, str]:
        """Of a call that is sent now."""
        tags = {}
        if self._skill:
            tags[SKILL] = self._skill
            if ":" in self._skill:
                tags[PLUGIN] = self._skill.partition(":")[0]
        if self._subagent:
            tags[SUBAGENT] = self._subagent
        return tags

    def add_reply(self, tags: dict[str, str], calls: Iterable[tuple[str, msgspec.Raw]]) -> None:
        """Adds to a call's tags what its reply's tools say; a reply comes in several rows.

        Args:
            tags: of the call.
            calls: names of tools and their arguments, as they are written.
        """
        kinds = [tags.get(WORK, TALK)]
        for name, arguments in calls:
            kinds.append(kind_of_work(name, arguments))
            if name == SKILL_TOOL:
                self._skill = label(_argument(arguments, "skill")) or self._skill
            elif server := _SERVER_TOOL.match(name):
                tags.setdefault(SERVER, server[1])
                if plugin := _PLUGIN_SERVER.match(server[1]):
                    tags.setdefault(PLUGIN, plugin[1])
        tags[WORK] = min(kinds, key=_ORDER.index)


def kind_of_work(tool: str, arguments: msgspec.Raw) -> str:
    """By `WORK_RULE`."""
    if tool == "Bash":
        command = text(_argument(arguments, "command")) or ""
        return "test" if _TEST.search(command) else "git" if _GIT.search(command) else "run"
    if tool.startswith("mcp__"):
        return "mcp"
    return _BY_TOOL.get(tool, "other")


def subagent_of(arguments: msgspec.Raw) -> str:
    """The name of the subagent that a call of a tool starts."""
    return label(_argument(arguments, "subagent_type"))


def _argument(arguments: msgspec.Raw, name: str) -> Any:
    try:
        fields: Mapping[str, Any] = mapping(decoded(bytes(arguments)))
    except (ValueError, RecursionError):
        return None
    return fields.get(name)
