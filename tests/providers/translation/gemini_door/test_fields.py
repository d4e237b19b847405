import pytest

from modicum.providers.translation.gemini_door.fields import camel, field, json_schema, schema_of


def test_names_are_read_in_both_spellings():
    assert field({"file_uri": 1}, "fileUri") == field({"fileUri": 1}, "fileUri") == 1
    assert camel({"function_calling_config": {"allowed_x": 1}, "mode": 2}) == {
        "functionCallingConfig": {"allowed_x": 1},
        "mode": 2,
    }


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (
            {"type": "STRING", "enum": ["A", "B"], "nullable": True},
            {"type": ["string", "null"], "enum": ["A", "B", None]},
        ),
        (
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "min_items": "2"},
            {"type": "array", "items": {"type": "number"}, "minItems": 2},
        ),
        ({"any_of": [{"type": "INTEGER"}], "propertyOrdering": ["a"]}, {"anyOf": [{"type": "integer"}]}),
        (
            {"properties": {"type": {"type": "STRING"}, "nullable": {"type": "BOOLEAN"}}},
            {"properties": {"type": {"type": "string"}, "nullable": {"type": "boolean"}}},
        ),
        ([1, "x"], [1, "x"]),
    ],
)
def test_googles_schemas_become_json_schema(written, wanted):
    assert json_schema(written) == wanted


def test_a_schema_in_json_schema_stays_as_it_is():
    own = {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}
    assert schema_of({"parameters_json_schema": own}, "parameters", "parametersJsonSchema") == own
    assert schema_of({}, "parameters", "parametersJsonSchema") is None


def test_a_schema_without_end_is_no_trouble():
    deep = {}
    for _ in range(500):
        deep = {"items": deep}
    assert json_schema(deep)["items"]
