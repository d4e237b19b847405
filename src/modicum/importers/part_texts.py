"""The texts of parts of a context, from the log that holds them: found by their digests, and kept nowhere."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.importers.format import Reading
from modicum.importers.read_logs import read_calls
from modicum.importers.unpacking import plain_name
from modicum.metering.digests import Digester

PIECE_BYTES = 16 * 1024 * 1024


class _Texts(BlockListener):
    def __init__(self, digests: frozenset[bytes]) -> None:
        self._digests = digests
        self.found: dict[bytes, str] = {}

    def on_block(self, block: MeasuredBlock) -> None:
        if block.digest in self._digests:
            self.found.setdefault(block.digest, block.text)


def read_part_texts(
    files: Iterable[Path], source: str | None, digester: Digester, digests: Iterable[bytes], names: Iterable[str]
) -> Mapping[bytes, str]:
    """The texts with these digests, as far as these files hold them.

    Args:
        files: logs; those that mention none of the names are not read.
        source: as `--source`; None: recognised.
        digester: with the key by which the digests were made.
        digests: of the parts.
        names: of the session and its calls, as their log writes them.
    """
    texts = _Texts(frozenset(digests))
    words = [name.encode() for name in names if name]
    reading = Reading(anatomy=True, watches_text=False, digester=digester, listener=texts, count=_count_nothing)
    for path in _that_mention(files, words):
        for _ in read_calls([path], reading, source=source, processes=1):
            pass
    return texts.found


def _count_nothing(_text: str, _model: str) -> int:
    return 1


def _that_mention(files: Iterable[Path], words: list[bytes]) -> Iterator[Path]:
    for path in files:
        if (
            plain_name(path.name) != path.name
            or any(word.decode() in str(path) for word in words)
            or _mentions(path, words)
        ):
            yield path


def _mentions(path: Path, words: list[bytes]) -> bool:
    """Whether one of the words stands in the file."""
    longest = max(map(len, words), default=1)
    rest = b""
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                held = rest + piece
                if any(word in held for word in words):
                    return True
                rest = held[-longest:]
    except OSError:
        return False
    return False
