import re
from pathlib import Path

from modicum.calls.words import counted_nouns
from modicum.calls.words.counted_nouns import noun_for, number_of


def test_a_noun_agrees_with_its_number():
    assert [number_of(number, "call") for number in (0, 1, 2, 1234)] == ["0 calls", "1 call", "2 calls", "1,234 calls"]
    assert [number_of(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


def test_a_verb_agrees_too():
    assert [noun_for(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


NOUNS = (
    "calls tasks tokens files rows sessions records outcomes problems windows steps prices keys agents teams budgets"
    " models events requests results answers conversations workers trials commits lines cells experiments"
    " projects versions"
)
WRITTEN = re.compile(
    r"\{([^{}]*)\} (?:(?:more|other|new|older|different|same) )?(?:" + "|".join(NOUNS.split()) + r")\b"
)
NO_COUNT = re.compile(
    r"^[A-Z_]+(\.\w+)?(:,)?$"  # constants, none of which is 1
    r"|:[,+.]*\d?[.\d]*[fg]$|^format_tokens|^number_of"  # measured, not counted
    r"|^(days|name|by|port|assumed\.staff_hours_per_month)$|^$"  # text that is filled in later
)


def test_no_sentence_says_1_calls():
    """Wherever a number stands before a noun, `number_of` has written both."""
    source = Path(counted_nouns.__file__).parents[2]
    found = [
        f"{file.relative_to(source)}: {match[0]}"
        for file in source.rglob("*.py")
        for match in WRITTEN.finditer(file.read_text())
        if not NO_COUNT.search(match[1])
    ]

    assert found == []
