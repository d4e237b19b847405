from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from modicum.calls import Anatomy, Basis, Call, Cost, Entry, Segment, SegmentKind, Usage, UserError
from modicum.context.block_listener import MeasuredBlock
from modicum.importers.outcomes.logged_outcomes import UserTexts, make_logged_table
from modicum.routing.stage import Stage

AT = datetime(2026, 11, 1, tzinfo=UTC)
ASKED = Segment(SegmentKind.USER, 10, b"asked")
CALLED = Segment(SegmentKind.TOOL_CALL, 5, b"c", tool="Read")
FAILED = Segment(SegmentKind.TOOL_RESULT, 5, b"r", tool="Read", is_error=True)
TEXTS = {b"asked": "fix the bug"}


def entry(task, turn, anatomy, model="a", usd="0.5"):
    call = Call(
        call_id=f"{task}-{turn}-{model}",
        provider="openai",
        model=model,
        usage=Usage(),
        task=task,
        conversation=f"c-{task}",
        turn=turn,
        started=AT,
        anatomy=anatomy,
        source="test",
    )
    return Entry(call=call, cost=Cost(usd=None if usd is None else Decimal(usd), basis=Basis.EXACT))


def two_calls(task, model="a", usd="0.5"):
    yield entry(task, 0, Anatomy(added=(ASKED,)), model, usd)
    yield entry(task, 1, Anatomy(kept_segments=1, added=(CALLED, FAILED)), model, usd)


def many(model="a", count=10, **more):
    return [one for number in range(count) for one in two_calls(f"{model}{number}", model, **more)]


def values_of(entries, value=1.0):
    return {one.call.task: value for one in entries}


def test_each_moment_has_its_prompt_its_stage_the_tasks_outcome_and_what_the_rest_cost():
    entries = [*many("a"), *many("b", usd="2")]

    table, remarks = make_logged_table(reversed(entries), TEXTS, values_of(entries) | {"a0": 7.0, "b0": 0.0})

    assert (table.models, set(table.prompts), remarks) == (("a", "b"), {"fix the bug"}, [])
    first = table.tasks.index("a0")
    assert table.stages[first : first + 2] == (Stage(), Stage(1, 1, 1, "Read"))
    assert table.costs["usd"][first : first + 2, 0].tolist() == [1.0, 0.5]
    assert table.outcomes[first, 0] == 1
    assert np.isnan(table.outcomes[first, 1])
    assert table.outcomes[table.tasks.index("b0"), 1] == 0


def test_what_is_left_out_is_counted():
    mixed = [entry("m", 0, Anatomy(added=(ASKED,)), "a"), entry("m", 1, Anatomy(kept_segments=1), "b")]
    silent = [entry("s", 0, Anatomy(added=(CALLED,)))]
    unknown = list(two_calls("u"))
    few = list(two_calls("f", "rare"))
    entries = [*many("a"), *mixed, *silent, *few]

    table, remarks = make_logged_table([*entries, *unknown], TEXTS, values_of(entries))

    assert table.models == ("a",)
    assert remarks == [
        "1 conversation is left out: several models in one conversation.",
        "1 conversation is left out: no text of a user.",
        "1 conversation is left out: no outcome.",
        "rare is left out: 1 task with an outcome, and 10 are the fewest.",
    ]


def test_an_unknown_price_stays_unknown_and_nothing_at_all_is_said_with_what_to_do():
    entries = many("a", usd=None)

    assert np.isnan(make_logged_table(entries, TEXTS, values_of(entries)).table.costs["usd"]).all()
    with pytest.raises(UserError, match=r"no outcome.*modicum outcome import"):
        make_logged_table(entries, TEXTS, {})


def test_only_texts_of_users_are_held():
    listener = UserTexts()
    listener.on_block(MeasuredBlock(SegmentKind.USER, "mine", b"1", 1, "m"))
    listener.on_block(MeasuredBlock(SegmentKind.TOOL_RESULT, "a file", b"2", 1, "m"))
    listener.on_block(MeasuredBlock(SegmentKind.USER, "  ", b"3", 1, "m"))

    assert listener.texts == {b"1": "mine"}
