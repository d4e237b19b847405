"""What a transcript shows between two calls that may change what the cache can be read for. Kinds only, no text.

A skill and an expanded slash command run with settings of their own (in many versions without thinking), until the user
speaks again. No row names these settings; the events stand for them.
"""

from collections.abc import Iterable

from modicum.calls import PromptEvent

SKILL_TOOL = "Skill"
_EXPANDED = ("<command-name>", "<command-message>")
_LOCAL_OUTPUT = "<local-command-stdout>"
_SHELL = "<bash-input>"
_INTERRUPT = "[Request interrupted"


class EventLog:
    """The events of one conversation since its last call."""

    def __init__(self) -> None:
        self._since: set[PromptEvent] = set()
        self._is_in_skill = False
        self._may_expand = False
        self._thinking: bytes | None = None
        self._permission_mode = ""
        self._version = ""
        self._has_image = False

    def take(self, version: str | None) -> tuple[str, ...]:
        """The events before the call that is sent now by this version of the program; the next one's begin here."""
        if version and self._version and version != self._version:
            self._since.add(PromptEvent.CLIENT_VERSION)
        self._version = version or self._version
        if not {PromptEvent.SKILL, PromptEvent.COMMAND}.isdisjoint(self._since):
            self._is_in_skill = True
        taken = tuple(sorted(event.value for event in self._since)) if self._since else ()
        self._since.clear()
        self._may_expand = False
        return taken

    def add_reply(self, tools: Iterable[str | None]) -> None:
        """The tools that a reply calls."""
        if SKILL_TOOL in tools:
            self._since.add(PromptEvent.SKILL)

    def add_error(self) -> None:
        self._since.add(PromptEvent.API_ERROR)

    def add_image(self) -> None:
        if not self._has_image:
            self._since.add(PromptEvent.IMAGE)
        self._has_image = True

    def add_meta_row(self) -> None:
        """A row that the client wrote: behind a command it is what the command was expanded to."""
        if self._may_expand:
            self._since.add(PromptEvent.COMMAND)

    def add_prompt(self, words: str, thinking: bytes, permission_mode: str | None) -> None:
        """What the user wrote, with the settings that stand in its row."""
        if _LOCAL_OUTPUT in words:
            self._may_expand = False
            return
        if any(mark in words for mark in _EXPANDED):
            self._may_expand = True
        elif _SHELL in words:
            self._since.add(PromptEvent.SHELL_COMMAND)
        elif _INTERRUPT in words:
            self._since.add(PromptEvent.INTERRUPT)
            return  # the client's words: they bear no settings
        elif self._is_in_skill:
            self._since.add(PromptEvent.SKILL_ENDED)
            self._is_in_skill = False
        self._compare_settings(thinking, permission_mode)

    def _compare_settings(self, thinking: bytes, permission_mode: str | None) -> None:
        if self._thinking is not None and thinking != self._thinking:
            self._since.add(PromptEvent.THINKING)
        self._thinking = thinking
        if permission_mode:
            if self._permission_mode and permission_mode != self._permission_mode:
                self._since.add(PromptEvent.PERMISSION_MODE)
            self._permission_mode = permission_mode
