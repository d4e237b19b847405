"""What an importer is: a log format that can be recognised and read. One file per format, each holding `FORMAT`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from modicum.calls import Call, Problem
from modicum.context.block_listener import BlockListener
from modicum.metering.digests import Digester

if TYPE_CHECKING:
    from modicum.context.segmenter import Segmenter

Found = Iterator[Call | Problem]


@dataclass(frozen=True)
class Reading:
    """What the reader of a file is asked for and given."""

    anatomy: bool = False
    """Whether calls shall carry their anatomy. It costs decoding and counting all text, so a bill goes without."""
    watches_text: bool = True
    """With anatomy: whether what only the text shows is looked for while it passes (secrets, which results were
    referred to, what rules would have cut). It takes three quarters of the time."""
    digester: Digester = field(default_factory=lambda: Digester(b""))
    """Makes keyed digests; the key is the ledger's."""
    count: Callable[[str, str], int] | None = None
    """Tokens of a text for a model, offline: (text, model) -> tokens. None: as `metering/tokens.py` counts."""
    listener: BlockListener = field(default_factory=BlockListener)

    def segmenter(self) -> "Segmenter":
        """A new one, for one file."""
        from modicum.context.segmenter import Segmenter  # it loads the tokenizer, which a bill does without

        return Segmenter(self.digester, self.count, self.listener)


@dataclass(frozen=True)
class LogFormat:
    name: str
    """The word for `--source`, and the `source` of its calls."""
    title: str
    recognises: Callable[[Path, bytes], bool]
    """Whether a file is of this format, from its path and its first 64 KB (unpacked). Content decides; the path may
    only tell apart formats whose content is alike. Must not raise."""
    read: Callable[[Path, Reading], Found]
    """The calls of one file, and the problems in it. One record per call where that is possible within a file;
    duplicates across files are settled by `Call.revision`. Never raises for bad data."""
    checked_against: str
    """`real exports` or `documentation`: what the shape was verified with. Shown on the format's page."""
    places: Callable[[Path, Mapping[str, str]], list[Path]] = lambda _home, _environment: []
    """Where the tool keeps its logs: (home folder, environment) -> folders and files, existing or not."""
    lines: bool = True
    """Whether the file is line-delimited, as a rule. Of other formats, a document over several lines in a file named as
    lines (.jsonl) is a problem, not data."""
