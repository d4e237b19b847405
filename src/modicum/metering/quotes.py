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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

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
_ANY_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\n")
_PATH = re.compile(r"(?<![\w@~-])[\w@~-]++(?:[./\\:]++[\w@~-]++)+")
_ASCII_PATH = re.compile(_PATH.pattern, re.ASCII)
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
_ASCII = bytes(range(128))
_WORDS_ONLY = bytes(code if chr(code).isalnum() or chr(code) in "_\n" else ord(" ") for code in range(128)) + bytes(128)
_MIXES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64)
"""Odd numbers by which the words of a run are multiplied, so that their order counts."""

Ints = npt.NDArray[np.int64]


class Speech:
    """What was said in one conversation: first all of it, in order; then texts are asked about.

    Places are whole numbers that grow with the conversation.
    """

    def __init__(self) -> None:
        self._mentions: defaultdict[str, list[int]] = defaultdict(list)
        self._paths: defaultdict[str, set[str]] = defaultdict(set)
        """By the longest word in them: whether a text may hold one is seen by its words."""
        self._shaped: set[str] = set()
        self._shapeless: set[str] = set()
        """Words that were looked at, so that each is once."""
        self._call_words: dict[str, int] = {}
        self._files: dict[str, int] = {}
        self._runs: list[Ints] = []
        self._run_places: list[int] = []
        self._sorted: tuple[Ints, Ints] | None = None

    def say(self, text: str, place: int, *, is_call: bool = False) -> None:
        """Something that the model or the user said; `is_call`: the arguments of a tool call, JSON or not."""
        text = _ascii_if_alike(_plain(text))
        words = _words(text)
        paths = _path_pattern(text).findall(text)
        for name in (*self._shaped_words(set(words)), *_marked_names(text), *paths):
            self._mentions[name].append(place)
        for path in paths:
            self._paths[max(_words(path), key=len, default="")].add(path)
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
        text = _ascii_if_alike(_plain(text))
        lines = text.split("\n")
        if max(map(len, lines)) > LONGEST_PIECE:
            text = _LONG_LINE.sub(_divided, text)
            lines = text.split("\n")
        sizes = np.fromiter(map(len, lines), np.int64, len(lines)) + 1
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
        words, line = _words_and_lines(text)
        counts = Counter(words)
        # Sets are intersected first: of the words of a text few were ever said, and a method call for each of them was
        # a twentieth of an import.
        names = self._named(counts.keys() & self._mentions.keys(), place)
        names.update(
            word
            for word in counts.keys() & self._call_words.keys()
            if counts[word] <= FEW_LINES and self._call_words[word] > place
        )
        if names:
            found[line[np.fromiter(map(names.__contains__, words), np.bool_, len(words))]] = True
        if repeated := self._repeated_paths(text, counts, place):
            paths = [path.start() for path in _path_pattern(text).finditer(text) if path[0] in repeated]
            found[np.searchsorted(ends, paths, side="right")] = True
        if len(words) >= RUN_WORDS:
            starts = np.flatnonzero(self._runs_after(_runs(words), place))
            for word in range(RUN_WORDS):
                found[line[starts + word]] = True
        return found

    def _shaped_words(self, words: set[str]) -> set[str]:
        """Those that stand out by their shape."""
        new = words - self._shaped - self._shapeless
        shaped = set(filter(_SHAPED.fullmatch, new))
        self._shaped |= shaped
        self._shapeless |= new - shaped
        return words & self._shaped

    def _named(self, names: Iterable[str], place: int) -> set[str]:
        """Those that were said later: for the first time, or soon."""
        later = set()
        for name in names:
            mentions = self._mentions[name]
            is_soon = mentions[-1] > place and mentions[bisect_right(mentions, place)] <= place + SOON
            if is_soon or mentions[0] > place:
                later.add(name)
        return later

    def _repeated_paths(self, text: str, counts: Counter[str], place: int) -> set[str]:
        """Paths that the text may hold and that were said later. To look for a path at every place of a text takes
        longer than all else, and most texts hold none.
        """
        possible = chain.from_iterable(map(self._paths.__getitem__, counts.keys() & self._paths.keys()))
        return self._named((path for path in possible if path in text), place)

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


def _ascii_if_alike(text: str) -> str:
    """The text with a question mark for every arrow, dash or box beyond ASCII, where these are no letters, digits or
    spaces: as long, with the same words, and read much faster. Numbered files have an arrow on every line.
    """
    if text.isascii():
        return text
    beyond = text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if any(letter.isalnum() or letter.isspace() or letter.islower() for letter in set(beyond)):
        return text
    return text.encode("ascii", "replace").decode("ascii")


def _divided(line: re.Match[str]) -> str:
    return "\n".join(_PIECE.findall(line[0]))


def _words(text: str) -> list[str]:
    if text.isascii():
        return text.encode().translate(_WORDS_ONLY).decode().split()
    return [word for word in _ANY_WORD.findall(text) if word != "\n"]


def _words_and_lines(text: str) -> tuple[list[str], Ints]:
    """The words, and in which line each stands."""
    if text.isascii():
        words_only = text.encode().translate(_WORDS_ONLY)
        codes = np.frombuffer(words_only, np.uint8)
        is_word = codes > ord(" ")
        begins = is_word & ~np.concatenate(([False], is_word[:-1]))
        return words_only.decode().split(), np.cumsum(codes == ord("\n"))[begins].astype(np.int64)
    tokens = _ANY_WORD.findall(text)
    is_break = np.fromiter(map("\n".__eq__, tokens), np.bool_, len(tokens))
    return list(filter("\n".__ne__, tokens)), np.cumsum(is_break)[~is_break].astype(np.int64)


def _path_pattern(text: str) -> re.Pattern[str]:
    return _ASCII_PATH if text.isascii() else _PATH


def _runs(words: list[str]) -> Ints:
    """A number for every run of words, the same for the same run within this process."""
    count = max(len(words) - RUN_WORDS + 1, 0)
    every = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    runs = np.zeros(count, np.uint64)
    for place, mix in enumerate(_MIXES):
        runs += every[place : place + count] * mix
    return runs.view(np.int64)


def _is_file(path: str) -> bool:
    """Whether its last part has an ending."""
    return "." in path.replace("\\", "/").rpartition("/")[2]


def _marked_names(text: str) -> Iterator[str]:
    """What stands out by its marks, or as a name within a sentence."""
    for ticked in _TICKED.findall(text):
        yield from (word for word in _words(ticked) if len(word) >= _FEWEST_LETTERS)
    for titled in _TITLED.finditer(text):
        before = text[titled.start() - 1 : titled.start()]
        if before.islower() or before in ",;:":  # within a sentence
            yield titled[1]
