"""Which part of a text is referred to by what was said later: names, paths, numbers, and runs of words.

Built for tool results: what a model read and then used leaves marks in what it says and calls next. A mark is

- a name that was first said after the text came: an identifier (`order_id`, `OrderBook`, `README`), a path, a number of
  three digits or more, whatever stands in backticks;
- a name that was known before and is said again soon;
- a plain word that a short tool call is the first to hold, if few lines hold it (`grep parser`);
- a run of four words, wherever else it was said before: a quoted line, the old text of an edit.

A line with a mark counts as read, and so do the lines around it, as a search with context would have shown them. Plain
words alone are no marks: in a long conversation every one of them comes again. Instructions that a client writes into a
result (`<system-reminder>`) are followed and not quoted: they count as read. Nothing here keeps a text.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

RUN_WORDS = 4
AROUND = 3
"""Lines before and after a marked one that count as read with it."""
SOON = 12
"""Blocks within which a known name counts when it is said again: some three turns of an agent."""
LONGEST_PIECE = 300
"""Characters. A longer line (JSON, a minified file) is divided, so that one word does not stand for all of it."""
SHORT_CALL = 400
"""Characters up to which the plain words of a tool call count: a pattern, a command."""
FEW_LINES = 5

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts that put no spaces between words, or inflect within them: each of their characters counts as a word."""
_WORD = re.compile(r"\w+|\n", re.ASCII)
_ANY_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\n")
_PATH = re.compile(r"(?<![\w@~-])[\w@~-]++(?:[./\\:]++[\w@~-]++)+")
_SHAPED = re.compile(
    r"\d{3,}"
    r"|(?=\w*[^\W\d_])(?=\w*\d)\w{3,}"  # letters with digits
    r"|[^\W_]+_\w+|_\w{2,}"  # snake_case
    r"|[A-Za-z]*[a-z][A-Z]\w*|[A-Z]{3,}"  # camelCase, README
)
_TITLED = re.compile(r" ([A-Z][a-z]{3,})\b")
_TICKED = re.compile(r"`([^`\n]{2,120})`")
_LONG_LINE = re.compile(rf"[^\n]{{{LONGEST_PIECE + 1},}}")
_INSTRUCTION = re.compile(r"<system-reminder>.*?(?:</system-reminder>|$)", re.DOTALL)
_PIECE = re.compile(rf".{{1,{LONGEST_PIECE}}}(?:[\s,;}}\]]|$)|.{{1,{LONGEST_PIECE}}}")
_FEWEST_LETTERS = 3

Ints = npt.NDArray[np.int64]


class Speech:
    """What was said in one conversation: first all of it, in order; then texts are asked about.

    Places are whole numbers that grow with the conversation.
    """

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._mentions: dict[str, list[int]] = {}
        self._call_words: dict[str, int] = {}
        self._files: dict[str, int] = {}
        self._runs: list[Ints] = []
        self._run_places: list[int] = []
        self._sorted: tuple[Ints, Ints] | None = None

    def say(self, text: str, place: int, *, is_call: bool = False) -> None:
        """Something that the model or the user said; `is_call`: the arguments of a tool call, JSON or not."""
        text = _plain(text)
        words = [word for word in _tokens(text) if word != "\n"]
        paths = _PATH.findall(text)
        for name in (*_names(text, words), *paths):
            self._first.setdefault(name, place)
            self._mentions.setdefault(name, []).append(place)
        if is_call and len(text) <= SHORT_CALL:
            for word in words:
                if len(word) >= _FEWEST_LETTERS:
                    self._call_words.setdefault(word, place)
        if is_call:
            self._files.update(dict.fromkeys(filter(_is_file, paths), place))
        self._runs.append(_runs(words))
        self._run_places.append(place)
        self._sorted = None

    def read_share(self, text: str, place: int, call_text: str = "") -> float:
        """The share of a text's characters that counts as read, if the text came at `place`.

        Args:
            text: a tool result or document.
            place: where it came.
            call_text: the tool call that it answers, if that is one that shows files. Where nothing of the text comes
                again, and yet a file that the call named is named by a later one, the whole text counts as read: a
                file is edited by line numbers, or written anew.
        """
        text = _LONG_LINE.sub(_divided, _plain(text))
        sizes = np.fromiter((len(line) + 1 for line in text.split("\n")), np.int64)
        ends = np.cumsum(sizes)
        marked = self._marked(text, ends, place)
        if not marked.any() and any(self._files.get(path, -1) > place for path in _PATH.findall(_plain(call_text))):
            return 1.0
        near = np.convolve(marked, np.ones(2 * AROUND + 1), "full")[AROUND : AROUND + len(sizes)] > 0
        for instruction in _INSTRUCTION.finditer(text):
            first, last = np.searchsorted(ends, instruction.span(), "right")
            near[first : last + 1] = True
        return float(sizes[near].sum() / sizes.sum())

    def _marked(self, text: str, ends: Ints, place: int) -> npt.NDArray[np.bool_]:
        """For every line whether it holds a name that was first said later, or a run of words that was said later."""
        found = np.zeros(len(ends), np.bool_)
        tokens = _tokens(text)
        is_break = np.fromiter(map("\n".__eq__, tokens), np.bool_, len(tokens))
        line = np.cumsum(is_break)[~is_break]
        words = [word for word in tokens if word != "\n"]
        counts = Counter(words)
        # Sets are intersected first: of the words of a text few were ever said, and a method call for each of them was
        # a twentieth of an import.
        names = {word for word in counts.keys() & self._first.keys() if self._is_named(word, place)}
        names.update(
            word
            for word in counts.keys() & self._call_words.keys()
            if counts[word] <= FEW_LINES and self._call_words[word] > place
        )
        if names:
            found[line[np.fromiter(map(names.__contains__, words), np.bool_, len(words))]] = True
        paths = [path.start() for path in _PATH.finditer(text) if self._is_named(path[0], place)]
        found[np.searchsorted(ends, paths, side="right")] = True
        if len(words) >= RUN_WORDS:
            starts = np.flatnonzero(self._runs_after(_runs(words), place))
            for word in range(RUN_WORDS):
                found[line[starts + word]] = True
        return found

    def _is_named(self, name: str, place: int) -> bool:
        """Whether it was said later: for the first time, or soon."""
        if (first := self._first.get(name)) is None:
            return False
        if first > place:
            return True
        mentions = self._mentions.get(name, ())
        later = bisect_right(mentions, place)
        return later < len(mentions) and mentions[later] <= place + SOON

    def _runs_after(self, runs: Ints, place: int) -> npt.NDArray[np.bool_]:
        if self._sorted is None:
            every = np.concatenate(self._runs) if self._runs else np.empty(0, np.int64)
            places = np.repeat(self._run_places, [len(one) for one in self._runs]).astype(np.int64)
            order = np.lexsort((places, every))
            every, places = every[order], places[order]
            last = np.append(every[1:] != every[:-1], np.ones(min(len(every), 1), np.bool_))
            self._sorted = every[last], places[last]
        spoken, places = self._sorted
        if not len(spoken):
            return np.zeros(len(runs), np.bool_)
        at = np.minimum(np.searchsorted(spoken, runs), len(spoken) - 1)
        later: npt.NDArray[np.bool_] = (spoken[at] == runs) & (places[at] > place)
        return later


def _plain(text: str) -> str:
    """Without the escapes of JSON, so that its lines are lines."""
    return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"') if "\\" in text else text


def _divided(line: re.Match[str]) -> str:
    return "\n".join(_PIECE.findall(line[0]))


def _tokens(text: str) -> list[str]:
    """Words and line breaks."""
    return _WORD.findall(text) if text.isascii() else _ANY_WORD.findall(text)


def _runs(words: list[str]) -> Ints:
    """A number for every run of words, the same for the same run within this process."""
    count = max(len(words) - RUN_WORDS + 1, 0)
    return np.fromiter(map(hash, zip(words, words[1:], words[2:], words[3:], strict=False)), np.int64, count)


def _is_file(path: str) -> bool:
    """Whether its last part has an ending."""
    return "." in path.replace("\\", "/").rpartition("/")[2]


def _names(text: str, words: list[str]) -> Iterator[str]:
    """What stands out by its shape or its marks."""
    yield from filter(_SHAPED.fullmatch, set(words))
    for ticked in _TICKED.findall(text):
        yield from (word for word in _tokens(ticked) if len(word) >= _FEWEST_LETTERS)
    for titled in _TITLED.finditer(text):
        before = text[titled.start() - 1 : titled.start()]
        if before.islower() or before in ",;:":  # within a sentence
            yield titled[1]
