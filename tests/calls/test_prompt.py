import pytest

from modicum.calls import Segment, SegmentKind
from modicum.calls.change import Change, DoesNotFit
from modicum.calls.prompt import AnatomyPrompt, NotHeld, Prompt, tokens_by_length

SEGMENTS = (
    Segment(SegmentKind.SYSTEM, 100, b"s"),
    Segment(SegmentKind.USER, 10, b"u"),
    Segment(SegmentKind.TOOL_CALL, 20, b"c", "Read", b"d"),
    Segment(SegmentKind.TOOL_RESULT, 500, b"r", "Read", b"d", is_error=True),
)


def test_an_anatomy_has_all_but_text():
    prompt = AnatomyPrompt(SEGMENTS)
    result = prompt.units[3]

    assert (prompt.holds_text, prompt.is_known, prompt.tokens, prompt.ends_with_tool_result) == (False, True, 630, True)
    assert (result.place, result.kind, result.tool, result.tokens) == (3, SegmentKind.TOOL_RESULT, "Read", 500)
    assert (result.digest, result.detail, result.is_error) == (b"r", b"d", True)
    assert [unit.is_by_model for unit in prompt.units] == [False, False, True, False]
    assert [unit.is_message for unit in prompt.units] == [False, True, True, True]


@pytest.mark.parametrize("read", [lambda prompt: prompt.units[0].text, lambda prompt: prompt.system])
def test_nobody_gets_an_empty_text_for_one_that_is_not_held(read):
    with pytest.raises(NotHeld, match="a ledger keeps none"):
        read(AnatomyPrompt(SEGMENTS))


@pytest.mark.parametrize("read", [lambda prompt: prompt.units, lambda prompt: prompt.tokens])
def test_a_prompt_that_nobody_took_apart_has_no_units_rather_than_none_at_all(read):
    unknown = Prompt(None, "a test says so")

    assert not unknown.is_known
    with pytest.raises(NotHeld, match="a test says so"):
        read(unknown)


def test_a_changed_anatomy():
    prompt = AnatomyPrompt(SEGMENTS)
    changed = prompt.apply(Change(left_out=frozenset({1}), replaced={3: "x" * 40}))

    assert [unit.kind for unit in changed.units] == [SegmentKind.SYSTEM, SegmentKind.TOOL_CALL, SegmentKind.TOOL_RESULT]
    assert [unit.place for unit in changed.units] == [0, 1, 2]
    assert [unit.tokens for unit in changed.units] == [100, 20, tokens_by_length("x" * 40)]
    assert (changed.units[2].digest, changed.units[2].detail) == (b"", b"d")
    assert prompt.tokens == 630


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change(left_out=frozenset({1, 2, 3})), "nothing would be left"),
        (Change(left_out=frozenset({4})), "no such unit"),
        (Change(replaced={-1: "x"}), "no such unit"),
    ],
)
def test_what_a_prompt_cannot_take(change, why):
    with pytest.raises(DoesNotFit, match=why):
        AnatomyPrompt(SEGMENTS).apply(change)
