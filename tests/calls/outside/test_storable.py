from hypothesis import given
from hypothesis import strategies as st

from modicum.calls.outside.storable import storable


def test_half_a_character_becomes_a_question_mark_and_nothing_else_changes():
    assert storable("a\ud83d é \U0001f600") == "a? é \U0001f600"


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_comes_can_be_encoded(text):
    storable(text).encode()
