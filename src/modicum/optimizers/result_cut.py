"""Long tool results cut to a budget: beginning, end, structure, and what bears on the question that was open."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change, OwnTool
from modicum.calls.facts import Facts
from modicum.calls.prompt import CHARACTERS_PER_TOKEN, Prompt, content_digest
from modicum.calls.rule import Rule, Safety
from modicum.optimizers.arrival import EditMemory, change_of

MARK = "[modicum cut: "
PURPOSE = "long results cut to a budget"
BUDGETS = (
    (r"read|view|cat|open|file", 16_000),
    (r"grep|search|glob|find", 4_000),
    (r"bash|shell|exec|run|command", 6_000),
    (r"^task$|agent", 12_000),
)
"""Tokens by tool; others: `BUDGET`. More than left 99 % of what agents used later on the half of transcripts that they
were chosen on, since other people's work lost more. What another agent reports is short for what it has read, so less
of it can go.
"""
BUDGET = 9_000
BLOCK_LINES = 10
HEAD_SHARE, TAIL_SHARE = 0.25, 0.1
LONGEST_LINE = 2_000
"""Characters of a line from which on it is cut too."""
_NOTE_CHARACTERS, _READABLE_NOTE_CHARACTERS = 150, 230
_BUDGETS = [(re.compile(words, re.IGNORECASE), tokens) for words, tokens in BUDGETS]
SHOWN_EARLY_LINES = 4
"""Among so many a numbered file shows its first number."""
_NUMBERED = re.compile(r"[ 0]{0,8}(\d{1,9})(?:→|\t|\| ?)")
_WORD = re.compile(r"\w{3,}")
_BEGINS_STRUCTURE = re.compile(
    r"\s{0,8}(?:\d+\W+)?(?:#{1,6} |def |class |func |function |fn |type |interface |struct |impl |export |pub |"
    r"import |public |module )",
    re.IGNORECASE,
)
_ALARMS = ("error", "fatal", "exception", "panic", "traceback", "fail", "warning")
_ALARM = re.compile(r"\b(?:error|fatal|exception|panic|traceback|fail\w*|warning)\b", re.IGNORECASE)
_UNEVEN_CASE = re.compile("[\u0130\u0131\u017f\u03a3]")
"""Letters that are the same as another one without their case, or change with what stands beside them: texts with such
are not made lower case at once."""


class ReadableCuts(NamedTuple):
    """For a call of which what is cut can be read again by `READ_TOOL`: its caller answers that."""


READ_TOOL = OwnTool(
    "modicum_read_cut",
    "Gives what was left out of a long tool result, where a line in it that begins with '[modicum cut:' says so. Pass "
    "on the values of that line.",
    {
        "type": "object",
        "properties": {"result": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"}},
        "required": ["result", "start", "end"],
    },
)
MOST_READ_CHARACTERS = 24_000
"""Of one reading; the rest can be read by another."""


def handle_of(text: str) -> str:
    """By which a result is named to the model."""
    return content_digest(text).hex()[:8]


def read_cut(texts: Iterable[str], handle: str, start: int, end: int) -> str | None:
    """What stands in a result from one character to another, as it came; None: there is no such result here.

    Args:
        texts: the results of the request, as their caller sent them.
        handle: of the result.
        start: the first character.
        end: the character behind the last; more than is read at once is left out.
    """
    text = next((text for text in texts if handle_of(text) == handle), None)
    if text is None:
        return None
    start = max(start, 0)
    return text[start : max(min(end, start + MOST_READ_CHARACTERS), start)]


def cut_results(prompt: Prompt, facts: Facts) -> Change:
    """Cuts each long result to the budget of its tool. The question is the last one of the user *before* the result, so
    later questions change nothing of it.
    """
    replaced: dict[int, str] = {}
    question, is_readable = "", "1" if facts.of(ReadableCuts) is not None else ""
    for unit in prompt.units:
        if unit.kind is SegmentKind.USER:
            question = (unit.text or question).replace("\0", "")
        if unit.kind is not SegmentKind.TOOL_RESULT or (text := unit.text) is None:
            continue
        budget = budget_of(unit.tool) * CHARACTERS_PER_TOKEN
        if len(text) <= budget or MARK in text:
            continue
        shorter = _memory.edit("\0".join((str(budget), is_readable, question, text)))
        if shorter is not None:
            replaced[unit.place] = shorter
    return change_of(replaced, PURPOSE) if replaced else NO_CHANGE


def budget_of(tool: str) -> int:
    """The most tokens of a result of this tool."""
    return next((tokens for words, tokens in _BUDGETS if words.search(tool)), BUDGET)


def cut_text(text: str, question: str, most_characters: int, *, is_readable: bool = False) -> str:
    """The text within that many characters: its head and tail, then the blocks of lines that say most about the
    question or show structure, in their order, each gap with a note. What holds a note of ours stays. `is_readable`:
    the notes say how `READ_TOOL` gives what is left out.
    """
    if len(text) <= most_characters or MARK in text:
        return text
    blocks = _blocks(text)
    scores = _scores(blocks, question)
    sizes = [len(block) + 1 for block in blocks]
    order = _order(scores, sizes, most_characters)
    chosen: set[int] = set()
    left, note_size = most_characters, _READABLE_NOTE_CHARACTERS if is_readable else _NOTE_CHARACTERS
    for place in order:
        # a chosen block may open a gap of its own
        if sizes[place] + note_size <= left:
            chosen.add(place)
            left -= sizes[place] + note_size
    if not chosen:
        return text
    handle, starts = (handle_of(text), _starts(text, blocks)) if is_readable else ("", [])
    return "\n".join(_with_notes(blocks, chosen, first_line_of_file(text), starts, handle))


def _cut_key(key: str) -> str:
    budget, is_readable, question, text = key.split("\0", 3)
    shorter = cut_text(text, question, int(budget), is_readable=bool(is_readable))
    return shorter if len(shorter) < len(text) else key


_memory = EditMemory(_cut_key)


def _blocks(text: str) -> list[str]:
    """Runs of ten lines; a very long line is several blocks, so that a megabyte without line ends can be cut too."""
    blocks: list[str] = []
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) > LONGEST_LINE:
            if lines:
                blocks.append("\n".join(lines))
                lines = []
            blocks += [line[start : start + LONGEST_LINE] for start in range(0, len(line), LONGEST_LINE)]
            continue
        lines.append(line)
        if len(lines) == BLOCK_LINES:
            blocks.append("\n".join(lines))
            lines = []
    return [*blocks, "\n".join(lines)] if lines else blocks


def _starts(text: str, blocks: Sequence[str]) -> list[int]:
    """Where each block begins in its text, and where the text ends. Pieces of one long line have no line end between
    them.
    """
    starts, at = [], 0
    for block in blocks:
        starts.append(at)
        at += len(block)
        at += text.startswith("\n", at)
    return [*starts, len(text)]


def _scores(blocks: Sequence[str], question: str) -> list[float]:
    asked_for = {word.lower() for word in _WORD.findall(question[-LONGEST_LINE:])}
    lower = [_lower(block) for block in blocks]
    words = [asked_for.intersection(_lower_words(*both)) for both in zip(blocks, lower, strict=True)]
    common = Counter(word for shared in words for word in shared)
    scores = []
    for block, small, shared in zip(blocks, lower, words, strict=True):
        rare = math.fsum([math.log(1 + len(blocks) / common[word]) for word in shared])  # in whatever order
        scores.append(rare + 0.3 * _structure_lines(block, small))
    return scores


def _lower_words(block: str, lower: str | None) -> Iterable[str]:
    return map(str.lower, _WORD.findall(block)) if lower is None else _WORD.findall(lower)


def _structure_lines(block: str, lower: str | None) -> int:
    """How many lines show structure: a heading, the beginning of a function, a failure."""
    begins, lines = _BEGINS_STRUCTURE.match, block.split("\n")
    if lower is None or any(word in lower for word in _ALARMS):
        return sum([begins(line) is not None or _ALARM.search(line) is not None for line in lines])
    # most blocks: to look for words at every place of each line takes ten times as long
    return sum([begins(line) is not None for line in lines])


def _lower(block: str) -> str | None:
    """The block in lower case; None: its letters cannot be taken all at once."""
    return block.lower() if block.isascii() or _UNEVEN_CASE.search(block) is None else None


def _order(scores: Sequence[float], sizes: Sequence[int], most: int) -> Iterator[int]:
    """Blocks, the most important first: head and tail up to their shares, then by score, then from the front."""
    first: list[int] = []
    for share, places in ((HEAD_SHARE, range(len(sizes))), (TAIL_SHARE, range(len(sizes) - 1, -1, -1))):
        size = 0
        for place in places:
            size += sizes[place] + _NOTE_CHARACTERS
            if size > share * most:
                break
            first.append(place)
    yield from dict.fromkeys(first)
    rest = set(range(len(sizes))) - set(first)
    yield from sorted(rest, key=lambda place: (-scores[place], place))


def first_line_of_file(text: str) -> int | None:
    """The number in its file of a text's first line, where its lines show such numbers; None: nothing shows them. Lines
    in front of the numbered ones count back from there.
    """
    for place, line in enumerate(text.split("\n", SHOWN_EARLY_LINES)[:SHOWN_EARLY_LINES]):
        if numbered := _NUMBERED.match(line):
            return int(numbered[1]) - place
    return None


def _with_notes(
    blocks: Sequence[str], chosen: set[int], first_line: int | None, starts: Sequence[int], handle: str
) -> Iterator[str]:
    line, of_file = 1 if first_line is None else first_line, first_line is not None
    gap_from: int | None = None
    gap_to = gap_place = 0
    for place, block in enumerate(blocks):
        count = block.count("\n") + 1
        if place in chosen:
            if gap_from is not None:
                yield cut_note(gap_from, gap_to, _where(handle, starts, gap_place, place), of_file=of_file)
                gap_from = None
            yield block
        else:
            gap_place = place if gap_from is None else gap_place
            gap_from, gap_to = line if gap_from is None else gap_from, line + count - 1
        line += count
    if gap_from is not None:
        yield cut_note(gap_from, gap_to, _where(handle, starts, gap_place, len(blocks)), of_file=of_file)


def _where(handle: str, starts: Sequence[int], first: int, behind: int) -> tuple[str, int, int]:
    """Where a gap stands in its text; no handle: nobody gives it."""
    return (handle, starts[first], starts[behind]) if handle else ("", 0, 0)


def cut_note(first: int, last: int, where: tuple[str, int, int], *, of_file: bool) -> str:
    """The line that stands in the place of what was left out.

    Args:
        first: the number of its first line.
        last: of its last one.
        where: the result's handle, and between which of its characters it stands; no handle: nobody gives it.
        of_file: the numbers are those of a file that was read.
    """
    handle, start, end = where
    if handle:
        how = f'{READ_TOOL.name} with result="{handle}", start={start}, end={end} gives them'
    else:
        how = "read that range of it to see them" if of_file else "call the tool again for that range to read them"
    return f"{MARK}lines {first:,} to {last:,} of {'the file' if of_file else 'this output'} left out; {how}]"


CUT = Rule("content.cut", cut_results, Safety.LOSSY, is_cache_safe=True, purpose=PURPOSE)
