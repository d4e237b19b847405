"""Texts of a document, and what is none."""

from modicum.privacy.json_texts import edit_texts


def loud(text, *, in_tool=False, is_json=False):
    return text.upper() + ("(tool)" if in_tool else "") + ("(json)" if is_json else "")


def test_every_text_is_edited_and_names_numbers_and_packed_data_are_not():
    document = {
        "model": "gpt-4o",
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "user", "content": [{"type": "text", "text": "there"}, {"image_url": {"url": "data:image/png"}}]},
        ],
        "max_tokens": 5,
        "user": "ada",
    }
    assert edit_texts(document, loud) == {
        "model": "gpt-4o",
        "messages": [
            {"role": "user", "content": "HELLO"},
            {"role": "user", "content": [{"type": "text", "text": "THERE"}, {"image_url": {"url": "data:image/png"}}]},
        ],
        "max_tokens": 5,
        "user": "ADA",
    }


def test_what_a_tool_is_called_with_is_told_apart():
    call = {"type": "tool_use", "id": "t", "name": "run", "input": {"a": ["b"]}}
    assert edit_texts([call], loud)[0]["input"] == {"A(tool)": ["B(tool)"]}
    function = {"function": {"name": "run", "arguments": '{"a": 1}'}}
    assert edit_texts(function, loud)["function"]["arguments"] == '{"A": 1}(tool)(json)'
    assert edit_texts({"args": {"a": "b"}}, loud) == {"args": {"A(tool)": "B(tool)"}}


def test_a_prompt_is_no_tool_call():
    assert edit_texts({"input": "hello"}, loud) == {"input": "HELLO"}
    assert edit_texts({"input": [{"id": "x", "content": "hi"}]}, loud) == {"input": [{"id": "x", "content": "HI"}]}
