"""A prompt's parts in the order that repeats most of it from call to call."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum import lay_out
from modicum.calls import UserError
from modicum.optimizers.json_tables import json_without_tables

RULES, PAPER = "Answer in one sentence.", "The harbour is 20 metres deep. " * 3
ROWS = [{"name": name, "age": 3} for name in ("ann", "bob", "cid", "dot", "eve")]


def test_what_changes_least_stands_first_and_the_question_last():
    clock = {"text": "It is 10:31.", "changes": "call"}
    prompt = lay_out([clock, {"title": "Paper", "text": PAPER, "changes": "conversation"}, RULES], "How deep is it?")

    assert prompt.system == RULES
    assert prompt.user == f"[Paper]\n{PAPER}\n\nIt is 10:31.\n\nHow deep is it?"
    assert prompt.repeated_characters == len(RULES) + len(f"[Paper]\n{PAPER}")


def test_rows_stand_as_a_table_that_gives_them_back():
    text = lay_out([{"rows": ROWS}], "Who is oldest?").system

    assert text.startswith('{"columns of this table":["name","age"],"rows":[["ann",3],["bob",3],')
    assert json.loads(json_without_tables(text)) == ROWS
    assert lay_out([{"rows": ROWS[:1]}], "x").system == '[{"name":"ann","age":3}]'


@given(
    st.lists(st.builds(dict, text=st.text(), changes=st.sampled_from(["never", "conversation", "call"])), max_size=5),
    st.text(),
    st.text(),
)
def test_two_calls_begin_alike_up_to_what_changes_from_call_to_call(parts, question, other):
    first = lay_out(parts, question)
    changed = [{**one, "text": f"{one['text']}, later"} if one["changes"] == "call" else one for one in parts]
    second = lay_out(changed, other)

    alike = first.repeated_characters
    assert second.repeated_characters == alike
    assert (first.system + first.user)[:alike] == (second.system + second.user)[:alike]
    assert first.system == second.system
    assert first.user.endswith(question)
    assert all(one["text"] in first.system + first.user for one in parts)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ("one text", "put one into"),
        ([7], "part 1 is a text, or has 'text' or 'rows', and this is int"),
        ([RULES, {"text": "a", "changes": "daily"}], "part 2"),
        ([{"txt": "a"}], "txt"),
        ([{"text": "a", "rows": []}], "one of 'text' and 'rows'"),
        ([{"title": "a"}], "one of 'text' and 'rows'"),
        ([{"rows": {"a": 1}}], "a list of objects"),
        ([{"rows": [object()]}], "cannot be written as JSON"),
        ([{"text": None}], "this is NoneType"),
    ],
)
def test_what_is_no_part_is_said_by_its_number(parts, says):
    with pytest.raises(UserError, match=says):
        lay_out(parts, "x")


def test_a_question_is_a_text():
    with pytest.raises(UserError, match="a question is a text, and this is int"):
        lay_out([], 7)
