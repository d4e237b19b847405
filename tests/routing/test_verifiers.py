import pytest

from modicum.routing.verifiers import ModelAnswer, check_agreement, check_complete, check_schema, is_too_wrong

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": ["integer", "null"], "minimum": 0},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
        "boss": {"$ref": "#"},
    },
    "required": ["name"],
    "additionalProperties": False,
    "description": "words that say nothing of the shape",
}


@pytest.mark.parametrize(
    "text",
    ['{"name": "x"}', '{"name": "x", "age": null, "tags": ["a"]}', '{"name": "x", "boss": {"name": "y", "age": 3}}'],
)
def test_what_has_the_shape_is_believed(text):
    assert check_schema(ModelAnswer(text), PERSON).is_believed


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"name": ""}',
        '{"name": 3}',
        '{"name": "x", "age": -1}',
        '{"name": "x", "age": true}',
        '{"name": "x", "age": 1.5}',
        '{"name": "x", "tags": ["c"]}',
        '{"name": "x", "tags": ["a", "a", "a"]}',
        '{"name": "x", "more": 1}',
        '{"name": "x", "boss": {}}',
        "[]",
        "null",
    ],
)
def test_what_has_another_shape_is_not(text):
    assert check_schema(ModelAnswer(text), PERSON).why == "not_of_the_schema"


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "a"},
        {"type": "unheard"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://elsewhere"},
        {"anyOf": 3},
        {"required": 3},
        {"properties": 3},
        {"minLength": "x"},
        {"$ref": "#"},
    ],
)
def test_a_schema_that_cannot_be_checked_believes_nothing(schema):
    assert not check_schema(ModelAnswer('{"a": 1}'), schema).is_believed


def test_schemas_of_google_and_alternatives_are_read():
    assert check_schema(
        ModelAnswer('{"a": null}'), {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}}
    )[0]
    assert check_schema(ModelAnswer("3"), {"anyOf": [{"type": "string"}, {"const": 3}]}).is_believed
    assert check_schema(ModelAnswer("[" * 100_000), {}).why == "no_json"


@pytest.mark.parametrize(
    ("one", "other", "pattern", "agree"),
    [
        ("Paris.", " paris", "", True),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1.0}', "", True),
        ("Paris", "London", "", False),
        ("it is #### 42", "so #### 42", r"#### (\d+)", True),
        ("#### 41, no, #### 42", "#### 42", r"#### \d+", True),
        ("none", "none", r"#### (\d+)", False),
        ("", "", "", False),
    ],
)
def test_two_answers_agree_by_what_they_say(one, other, pattern, agree):
    assert check_agreement(ModelAnswer(one), ModelAnswer(other), pattern).is_believed is agree


def test_an_answer_that_is_not_whole_is_not_believed():
    assert check_complete(ModelAnswer("yes", "end_turn")).is_believed
    assert check_complete(ModelAnswer("", "tool_use", calls_tools=True)).is_believed
    assert check_complete(ModelAnswer("y", "max_tokens")).why == "cut_off"
    assert check_agreement(ModelAnswer("", calls_tools=True), ModelAnswer("a")).why == "calls_tools"


def test_a_verifier_is_too_wrong_only_where_that_is_sure():
    assert not is_too_wrong(19, 19, 0.1)  # too few
    assert not is_too_wrong(4, 20, 0.1)  # 20 %, and it may be 8 %
    assert is_too_wrong(40, 200, 0.1)
