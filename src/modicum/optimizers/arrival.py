"""Rules that shorten what tools returned, when it is first sent and the same way ever after.

A rule of this kind is a function of text. It makes the same of the same tool result in every call, so history is never
edited: what was once sent stays as it stands in the provider's cache. What it made is remembered by digest, within a
fixed bound, because a conversation sends its results again with every call.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from threading import Lock
from typing import Any, NamedTuple

from modicum.calls.change import NO_CHANGE, Change, EarlierEdits
from modicum.calls.facts import Facts
from modicum.calls.prompt import NO_TEXT, NotHeld, Prompt, Unit, content_digest, tokens_by_length
from modicum.calls.rule import Rule, Safety
from modicum.calls.words.counted_nouns import number_of

LEAST_CHARACTERS = 64
"""Below it nothing is worth a change."""
MEMORY_CHARACTERS = 16_000_000
"""What one rule remembers at most, over all conversations."""
SHOWS_EARLY_CHARACTERS = 4_000
"""Within so many a text shows what it is: a numbered file, matches of a search, a log."""
_NEW: Any = object()
_ENTRY_CHARACTERS = 100
"""What an entry costs beside its text."""
_EDITS_FILES = re.compile(r"edit|replace|patch|write|bash|shell|terminal|exec", re.IGNORECASE)
"""A shell changes files too: by `sed`, by here-documents that quote what was read."""
_SHOWS_DATA = re.compile(r"^mcp__(?!.*(?:read|file|cat|view|open|shell|bash|exec|run))", re.IGNORECASE)


class EditMemory:
    """What a text became, by digest of the text. The oldest are forgotten first.

    Args:
        edit: what is made of a text.
        may_fit: a quick look that spares texts that the edit would leave as they are.
    """

    def __init__(
        self,
        edit: Callable[[str], str],
        most_characters: int = MEMORY_CHARACTERS,
        may_fit: Callable[[str], bool] = bool,
    ) -> None:
        self._edit, self._most, self._may_fit = edit, most_characters, may_fit
        self._name = secrets.token_bytes(16)
        """No other memory has it."""
        self._known: OrderedDict[bytes, Any] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def edit(self, text: str) -> str | None:
        """The shorter text; None: it stays as it is."""
        digest = content_digest(text)
        before = self._known.get(digest, _NEW)
        edited = self._edit_new(digest, text) if before is _NEW else self._again(digest, before)
        return None if edited is None else edited.text

    def edit_unit(self, unit: Unit) -> "EditedText | None":
        """The same of a unit, whose text is not read again if it came before."""
        digest = unit.digest
        before = self._known.get(digest, _NEW)
        return self._edit_new(digest, unit.text) if before is _NEW else self._again(digest, before)

    def edit_units(self, units: Sequence[Unit]) -> "list[EditedText | None]":
        """The same of several units."""
        digests = [unit.digest for unit in units]
        edited = list(map(self._known.get, digests, repeat(_NEW)))
        if self._characters * 2 <= self._most and _NEW not in edited:  # all came before, and nothing is forgotten
            return edited
        return list(map(self.edit_unit, units))

    def _again(self, digest: bytes, before: "EditedText | None") -> "EditedText | None":
        if self._characters * 2 > self._most:  # before that nothing is forgotten, so the order is all one
            with self._lock:
                if digest in self._known:
                    self._known.move_to_end(digest)
        return before

    def _edit_new(self, digest: bytes, text: str | None) -> "EditedText | None":
        shorter = None if text is None or not self._may_fit(text) else shortened(self._edit, text)
        edited = None if shorter is None else EditedText(shorter, content_digest(self._name + digest))
        with self._lock:
            if digest not in self._known:
                self._known[digest] = edited
                self._characters += _size(edited)
            while self._characters > self._most and len(self._known) > 1:
                self._characters -= _size(self._known.popitem(last=False)[1])
        return edited

    def __len__(self) -> int:
        return len(self._known)


class EditedText(NamedTuple):
    """What a text became."""

    text: str
    digest: bytes
    """Of the text before and who edited it: two that are the same are of the same text."""


def _size(edited: EditedText | None) -> int:
    return (0 if edited is None else len(edited.text)) + _ENTRY_CHARACTERS


def shortened(edit: Callable[[str], str], text: str) -> str | None:
    """What an edit makes of a text, where that saves tokens and is not empty. Each text is looked at alone: were it
    changed only where others are, too, it would not stay as it was sent first. Edits keep what was there and add ASCII,
    so what has fewer characters has fewer bytes.
    """
    edited = edit(text)
    return edited if edited and tokens_by_length(edited) < tokens_by_length(text) else None


def shows_early(pattern: re.Pattern[str], text: str) -> bool:
    """Whether one of a text's first lines begins so."""
    return bool(pattern.match(text)) or any(map(pattern.match, text[:SHOWS_EARLY_CHARACTERS].split("\n")))


def arrival_rule(
    name: str,
    edit: Callable[[str], str],
    *,
    safety: Safety,
    purpose: str,
    may_fit: Callable[[str], bool],
    changes_form: bool = False,
) -> Rule:
    """A rule that makes an edit in every tool result.

    Args:
        name: of the rule, `content.what`.
        edit: a pure function of text; what it cannot read it gives back.
        safety: of the edit.
        purpose: in one line.
        may_fit: a quick look that spares the digest of texts that the edit would leave as they are.
        changes_form: the text says the same in another form, so an agent that changes files by quoting them must not
            get it of a file.
    """
    memory = EditMemory(edit, may_fit=lambda text: len(text) >= LEAST_CHARACTERS and may_fit(text))

    def decide(prompt: Prompt, _facts: Facts) -> Change:
        replaced: dict[int, str] = {}
        digests: dict[int, bytes] = {}
        quotes_files: bool | None = None
        results, earlier = prompt.new_results, prompt.earlier_edits(name)
        if results and not prompt.holds_text:
            raise NotHeld(NO_TEXT)
        for unit, shorter in zip(results, memory.edit_units(results), strict=True):
            if shorter is None:
                continue
            if changes_form:
                quotes_files = edits_files(prompt) if quotes_files is None else quotes_files
                if quotes_files and not shows_data(unit):
                    continue
            replaced[unit.place], digests[unit.place] = shorter
        return change_of(replaced, purpose, digests, earlier) if replaced or earlier else NO_CHANGE

    return Rule(name, decide, safety, is_cache_safe=True, purpose=purpose, needs_results=True, edits_each=True)


def change_of(
    replaced: dict[int, str],
    purpose: str,
    digests: Mapping[int, bytes] | None = None,
    earlier: EarlierEdits | None = None,
) -> Change:
    """The change that sends these texts instead, and those of the beginning again."""
    count = len(replaced) + (0 if earlier is None else len(earlier.texts))
    why = f"{purpose}: {number_of(count, 'tool result')}"
    return Change(replaced=replaced, digests=digests or {}, earlier=earlier, why=why)


def edits_files(prompt: Prompt) -> bool:
    """Whether the caller has a tool that changes files: such tools take the old text literally."""
    return _change_files(prompt.tool_names)


@lru_cache(maxsize=1024)
def _change_files(tools: tuple[str, ...]) -> bool:
    return any(map(_EDITS_FILES.search, tools))


def shows_data(unit: Unit) -> bool:
    """Whether a result is data of a service and not a file's text."""
    return bool(_SHOWS_DATA.search(unit.tool))
