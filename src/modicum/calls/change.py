"""What a rule wants of one call, as data: nothing happens until the change is applied, to bytes or to an anatomy."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""How much a model may be told to think, in the words of the APIs, from the least on."""


class DoesNotFit(Exception):  # noqa: N818 - it is no error: the call stays as it was
    """A change that its prompt or its call cannot take. The message says why, without any text of the call."""


class OwnTool(msgspec.Struct, frozen=True):
    """A tool that whoever runs the rules answers itself: the model may call it, and the caller never sees that."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of its arguments: an object."""

    @property
    def tokens(self) -> int:
        """Its share of a prompt, estimated by its length."""
        return len(msgspec.json.encode(self)) // 4 + 1


class EarlierEdits(NamedTuple):
    """What a rule made of a beginning of the prompt that came before, and makes of it in every call; no text."""

    tokens_before: tuple[int, ...]
    """In front of each unit that it changed, from the first to the last."""
    removed: tuple[int, ...]
    """Tokens by length that these units lost: the first, the first two, and so on."""
    texts: tuple[tuple[bytes, bytes], ...]
    """Digests of each text before and after."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out of it stays as it was. Units are named by their place in the prompt that the rule was given."""

    left_out: frozenset[int] = frozenset()
    """Units that are not sent."""
    replaced: Mapping[int, str] = {}
    """Units that are sent with another text."""
    digests: Mapping[int, bytes] = {}
    """Of these texts, where a rule has one at hand: no two texts have the same. Long texts are not hashed again."""
    earlier: EarlierEdits | None = None
    """Units of a beginning that are sent with other texts again, beside those in `replaced`. Only where the prompt
    knows of it (`Prompt.earlier_edits`)."""
    model: str = ""
    """The model that is asked instead, as a caller would name it."""
    most_output_tokens: int | None = None
    """The most output that the model may make. It only lowers what the caller allows."""
    effort: str = ""
    """How much the model is to think, in the words of its API (`low`, `medium`, `high`, ...)."""
    shortens_cache_marks: bool = False
    """What the caller has cached for an hour is cached for five minutes: pings keep it, and the write costs less."""
    lengthens_cache_marks: bool = False
    """What the caller has cached for five minutes is cached for an hour: its kind of calls makes such pauses."""
    marks_cache: bool = False
    """Breakpoints of the prompt cache are set. It fits only where the caller has set none."""
    sorts_tools: bool = False
    """Tools stand in the order of their names."""
    sorts_keys: bool = False
    """Keys of tools' schemas stand in the order of the alphabet."""
    cache_key: str = ""
    """By which the provider finds what it has cached of this conversation."""
    own_tools: tuple[OwnTool, ...] = ()
    """Tools that are offered beside the caller's, and answered here."""
    why: str = ""
    """For the edit that is booked, in our words, without any text of the call. Empty: no edit is booked, since the
    change undoes only what we did ourselves."""

    @property
    def is_of_prompt(self) -> bool:
        """Whether the prompt is another one after it."""
        return bool(self.left_out or self.replaced or self.earlier or self.own_tools)

    @property
    def is_of_body(self) -> bool:
        """Whether the request's body is another one after it, but for the model's name."""
        return (
            self.is_of_prompt
            or self.most_output_tokens is not None
            or bool(self.effort or self.cache_key)
            or self.is_about_cache
        )

    @property
    def is_about_cache(self) -> bool:
        """Whether it changes how the request stands to its prompt cache, and nothing that the model reads."""
        return (
            self.shortens_cache_marks
            or self.lengthens_cache_marks
            or self.marks_cache
            or self.sorts_tools
            or self.sorts_keys
        )

    @property
    def is_of_texts_alone(self) -> bool:
        """Whether units are sent with other texts, and nothing else is changed."""
        return bool(self.replaced or self.earlier) and not (
            self.left_out
            or self.model
            or self.effort
            or self.cache_key
            or self.most_output_tokens is not None
            or self.is_about_cache
        )

    @property
    def is_nothing(self) -> bool:
        return not self.is_of_body and not self.model


NO_CHANGE = Change()
"""The rule looked, and the call may go on as it is. Not to be mistaken for `NotDecidable`."""
