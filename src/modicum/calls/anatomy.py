"""What a call's context was made of, without its text.

A conversation's context mostly grows at its end. So an anatomy does not list the whole context: it says how many
leading segments were kept from the call before in the same conversation, and which segments came after them. A segment
dies at the first later call that kept less than its position.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from modicum.calls.basis import Basis


class SegmentKind(StrEnum):
    SYSTEM = "system"
    """The system prompt. Where a log has neither system prompt nor tool schemas: see PREFIX."""
    TOOL_SCHEMA = "tool_schema"
    PREFIX = "prefix"
    """System prompt and tool schemas together, where a log shows only that they must have been there."""
    USER = "user"
    ASSISTANT = "assistant"
    REASONING = "reasoning"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    DOCUMENT = "document"
    """Retrieved text, or an attached file."""
    IMAGE = "image"
    SUMMARY = "summary"
    """What a compaction put in the place of the conversation before it."""
    UNLOGGED = "unlogged"
    """Tokens that the provider counted and that nothing in the log accounts for."""


class PromptEvent(StrEnum):
    """A changed field of the request, or an event between two calls, that may change what a cache can be read for."""

    SKILL = "skill"
    """A skill was loaded: it may run with settings of its own."""
    COMMAND = "command"
    """A slash command was expanded into the prompt."""
    SKILL_ENDED = "skill_ended"
    """The user speaks for the first time since a skill or command: its settings end."""
    THINKING = "thinking"
    """The thinking setting is another one than before."""
    TOOL_CHOICE = "tool_choice"
    """The request forces or forbids tools otherwise than before."""
    IMAGE = "image"
    """The first image came into the context, or the last one left it."""
    PERMISSION_MODE = "permission_mode"
    INTERRUPT = "interrupt"
    """The user broke off what ran."""
    API_ERROR = "api_error"
    """The provider had answered with an error, and the client tried again."""
    SHELL_COMMAND = "shell_command"
    """The user ran a command of the shell within the conversation."""
    CLIENT_VERSION = "client_version"
    """The program was updated in mid-conversation."""


class Reuse(msgspec.Struct, frozen=True, gc=False):
    """How much of a tool result was referred to later, found while the text passed."""

    read_share: float
    """Share of its tokens, from 0 to 1, in the lines that something said later refers to, and in those around them."""
    later_calls: int
    """Calls of the conversation behind the one that brought it, as far as the log went. The record that saw more of
    them stands."""


class Shortening(msgspec.Struct, frozen=True, gc=False):
    """What rules would have made of a tool result of the past, worked out while its text passed."""

    rules: str
    """A rule's name, or that of a set: `lossless`, `all`."""
    share: float
    """Of its tokens, from 0 to 1, what would have been sent."""


class Segment(msgspec.Struct, frozen=True, gc=False):
    """One block of a call's context."""

    kind: SegmentKind
    tokens: int
    """Share of the prompt that this block takes. See `basis`."""
    digest: bytes = b""
    """Keyed digest of the text (16 bytes and one for its version), the same for the same text in the same ledger; empty
    where no text was seen. The text is not kept."""
    tool: str = ""
    """Name of the tool, for schemas, calls and results."""
    detail: bytes = b""
    """Keyed digest of what the block is about: the arguments of a tool call or of the call behind a tool result. Two
    reads of one file share it."""
    is_error: bool = False
    """A tool result that reports a failure."""
    basis: Basis = Basis.ESTIMATED
    reuse: Reuse | None = None
    """Of long tool results and documents; None where nobody looked, or where too little came after it to tell."""
    shortenings: tuple[Shortening, ...] = ()
    """What rules would have made of a tool result, where that is less."""


class Anatomy(msgspec.Struct, frozen=True, gc=False):
    """The context of one call, as a change to the call before it in the same conversation."""

    kept_segments: int = 0
    """How many leading segments stood unchanged in the call before. 0: a context that starts anew."""
    kept_tokens: int = 0
    """Tokens of the kept segments together, so that the place of every added one within the prompt is known."""
    added: tuple[Segment, ...] = ()
    """The segments behind the kept ones."""
    break_cause: str = ""
    """Why less was kept than there was: `compaction`, `rewind`, `changed` (a message in the middle), `tools`, `system`,
    `model`, what a reader concludes from the size of the prompt (`edited`, `reasoning dropped`), or empty. `version`:
    nobody knows what was kept, because the digests of the call before are of another version.
    """
    events: tuple[str, ...] = ()
    """What happened between the call before and this one, as `PromptEvent` names it, sorted."""


class BookedShortening(msgspec.Struct, frozen=True, kw_only=True):
    """A `Shortening` in the ledger: for all segments of one digest that were born in one call."""

    shortening_id: str
    entry_id: str
    started: datetime
    """When that call began."""
    digest: bytes
    rules: str
    share: float
