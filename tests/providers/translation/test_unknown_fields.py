import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.translation.anthropic_shapes import MessagesRequest
from modicum.providers.translation.openai_shapes import ChatRequest
from modicum.providers.translation.unknown_fields import MOST_NAMED, is_unknown_field, without_unknown

HELLO = {"role": "user", "content": [{"type": "text", "text": "hi"}]}


def test_fields_of_inner_objects_go_and_the_outer_ones_stay():
    document = {
        "model": "m",
        "odd": 1,
        "null": None,
        "messages": [
            {**HELLO, "id": "x", "gone": None},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}", "z": 1}}]},
        ],
    }
    cleaned, gone = without_unknown(document, ChatRequest)
    assert gone == ["messages.id", "messages.tool_calls.function.z"]
    assert set(cleaned) == {"model", "odd", "messages"}
    assert msgspec.convert({**cleaned, "odd": None} | {}, dict)["messages"][0] == HELLO


def test_no_more_are_named_than_a_header_holds():
    message = {**HELLO, **{f"field_{place}": 1 for place in range(50)}, "na\u00efve": 1}
    _, gone = without_unknown({"messages": [message]}, ChatRequest)
    assert len(gone) == MOST_NAMED


@pytest.mark.parametrize("document", [None, [], "text", {"messages": "x"}, {"messages": [1, None, [HELLO]]}])
def test_what_is_no_request_stays_as_it_is(document):
    assert without_unknown(document, MessagesRequest) == (document, [])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_nothing_raises(messages):
    without_unknown({"messages": messages}, ChatRequest)


def test_only_the_error_of_an_unknown_field_is_one():
    with pytest.raises(msgspec.ValidationError) as unknown:
        msgspec.json.decode(b'{"model":"m","messages":[],"x":1}', type=ChatRequest)
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.json.decode(b'{"model":"m","messages":1}', type=ChatRequest)
    assert is_unknown_field(unknown.value)
    assert not is_unknown_field(wrong.value)
