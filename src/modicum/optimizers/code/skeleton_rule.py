"""Files of code that a tool returned, as skeletons: without bodies of functions, and each gap says how to read it."""

from collections.abc import Iterator, Sequence

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.errors import UserError
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import NotDecidable, Rule, Safety
from modicum.optimizers.arrival import EditMemory, change_of
from modicum.optimizers.code.languages import language_of_text
from modicum.optimizers.code.skeletons import CodeGap, skeleton_gaps
from modicum.optimizers.line_numbers import number_prefix
from modicum.optimizers.result_cut import MARK, ReadableCuts, cut_note, first_line_of_file, handle_of

FEWEST_CHARACTERS = 6_000
"""Of a result that is looked at: of shorter files the bodies are soon wanted."""
PURPOSE = "code as skeletons"


def cut_code(prompt: Prompt, facts: Facts) -> Change | NotDecidable:
    """Leaves bodies of functions out of results that are files of code. The question is the last one of the user
    *before* the result, so later questions change nothing of it.
    """
    replaced: dict[int, str] = {}
    question, is_readable = "", "1" if facts.of(ReadableCuts) is not None else ""
    for unit in prompt.units:
        if unit.kind is SegmentKind.USER:
            question = (unit.text or question).replace("\0", "")
        if unit.kind is not SegmentKind.TOOL_RESULT or (text := unit.text) is None or len(text) < FEWEST_CHARACTERS:
            continue
        try:
            shorter = _memory.edit(f"{is_readable}\0{question}\0{text}")
        except UserError as missing:
            return NotDecidable(str(missing))
        if shorter is not None:
            replaced[unit.place] = shorter
    return change_of(replaced, PURPOSE) if replaced else NO_CHANGE


def code_skeleton(text: str, question: str = "", *, is_readable: bool = False) -> str:
    """The text of a file as its skeleton, where it is code of a language that is read here, with a note for each gap;
    else the text. Lines may be numbered as agents number them. What holds a note of ours stays.

    Args:
        text: what a tool returned.
        question: what is to be answered.
        is_readable: the notes say how the gateway's own tool gives what is left out.

    Raises:
        UserError: the packages that read code are not installed; the message says what to type.
    """
    if MARK in text:
        return text
    lines = text.split("\n")
    first_number = first_line_of_file(text)
    code = "\n".join(line[number_prefix(line) :] for line in lines) if first_number is not None else text
    language = language_of_text(code)
    if language is None:
        return text
    gaps = skeleton_gaps(code, language, question)
    handle = handle_of(text) if is_readable else ""
    shown = "\n".join(_with_notes(lines, gaps, first_number, handle))
    return shown if len(shown) < len(text) else text


def _with_notes(lines: Sequence[str], gaps: Sequence[CodeGap], first_number: int | None, handle: str) -> Iterator[str]:
    number = 1 if first_number is None else first_number
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    at = 0
    for gap in gaps:
        cut = lines[gap.first : gap.behind]
        where = handle, starts[gap.first], starts[gap.behind] - 1
        note = cut_note(number + gap.first, number + gap.behind - 1, where, of_file=first_number is not None)
        if len(note) < sum(map(len, cut)):
            yield from lines[at : gap.first]
            yield note
            at = gap.behind
    yield from lines[at:]


def _cut_key(key: str) -> str:
    is_readable, question, text = key.split("\0", 2)
    shorter = code_skeleton(text, question, is_readable=bool(is_readable))
    return shorter if len(shorter) < len(text) else key


_memory = EditMemory(_cut_key)

CODE_SKELETON = Rule(
    "content.code_skeleton", cut_code, Safety.LOSSY, is_cache_safe=True, purpose=PURPOSE, must_be_named=True
)
