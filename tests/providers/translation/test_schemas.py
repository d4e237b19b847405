from modicum.providers.translation.schemas import MOST_LEVELS, mapping_of, schema_for_claude


def test_bounds_become_words_and_objects_are_closed():
    left_out = []
    schema = {
        "type": "object",
        "properties": {
            "minimum": {"type": "integer", "minimum": 0, "description": "Years"},
            "names": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/name"}},
            "word": {"enum": ["maximum"]},
        },
        "required": ["minimum"],
        "$defs": {"name": {"type": "object", "properties": {}, "additionalProperties": True}},
    }
    assert schema_for_claude(schema, left_out) == {
        "type": "object",
        "properties": {
            "minimum": {"type": "integer", "description": "Years (minimum: 0)"},
            "names": {"type": "array", "items": {"$ref": "#/$defs/name"}, "description": "minItems: 2"},
            "word": {"enum": ["maximum"]},
        },
        "required": ["minimum"],
        "$defs": {"name": {"type": "object", "properties": {}, "additionalProperties": False}},
        "additionalProperties": False,
    }
    assert left_out == ["response_format.minimum", "response_format.minItems"]


def test_a_schema_without_end_is_walked_so_far():
    schema = {"type": "object"}
    for _ in range(3 * MOST_LEVELS):
        schema = {"anyOf": [schema]}
    assert schema_for_claude(schema, []) == schema
    assert mapping_of("no schema") == {}
