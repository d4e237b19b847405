from modicum.providers.blocks import canonical, plain, schemas


def test_the_same_arguments_give_the_same_text():
    assert canonical({"b": 1, "a": [2]}) == canonical('{ "a": [2], "b": 1 }') == '{"a":[2],"b":1}'


def test_what_is_no_json_stays_as_it_is():
    assert canonical("*** Begin Patch") == "*** Begin Patch"
    assert canonical(float("nan")) == "NaN"


def test_plain_text_of_strings_parts_and_lists():
    assert plain(["a", {"type": "text", "text": "b"}, {"x": 1}, None]) == 'a\nb\n{"x":1}\n'


def test_schemas_are_named_whichever_dialect_they_are_in():
    tools = [
        {"type": "function", "function": {"name": "a"}},
        {"type": "function", "name": "b"},
        {"type": "web_search"},
        7,
    ]

    assert [block.tool for block in schemas(tools)] == ["a", "b", "web_search", ""]
