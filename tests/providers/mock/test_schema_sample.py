import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.providers.mock.schema_sample import sample

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 8}, "age": {"type": "integer", "minimum": 18}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
    },
    "$ref": "#/$defs/node",
}
SCHEMAS = [
    PERSON,
    TREE,
    {"type": "array", "items": PERSON, "minItems": 3, "maxItems": 4},
    {"anyOf": [{"type": "null"}, {"type": "string"}]},
    {"type": ["string", "null"], "enum": ["a b", None]},
    {"const": "two  spaces"},
    {"allOf": [{"properties": {"a": {"type": "number", "exclusiveMinimum": 2, "multipleOf": 0.5}}, "required": ["a"]}]},
    {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"]},
    {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    {"type": "number", "maximum": -3},
    {"type": "integer", "exclusiveMaximum": 0},
    {"type": "string", "maxLength": 2},
    {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"type": "integer"}},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "minItems": 2},
    {"properties": {"is_good": {"type": "boolean"}}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=repr)
def test_a_sample_fits_its_schema(schema):
    jsonschema.validate(sample(schema), schema, cls=jsonschema.Draft202012Validator)


simple = st.sampled_from(SCHEMAS)


@settings(max_examples=30)
@given(
    schema=st.recursive(
        simple,
        lambda inner: st.builds(
            lambda one, other: {"type": "object", "properties": {"a": one, "b": other}, "required": ["b"]}, inner, inner
        ),
    )
)
def test_samples_of_nested_schemas_fit_them(schema):
    if "$ref" not in repr(schema):  # a reference is to the whole document
        jsonschema.validate(sample(schema), schema)


@pytest.mark.parametrize(
    "schema",
    [None, 7, {"type": 7}, {"$ref": "#/nowhere"}, {"$ref": "#"}, {"pattern": "("}, {"enum": "x"}, {"items": []}],
)
def test_odd_schemas_have_a_sample_all_the_same(schema):
    assert sample(schema) is not None


def test_googles_capitals_and_counts_in_words_are_read():
    schema = {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "minItems": "2", "items": {"type": "INTEGER"}}}}
    assert sample(schema) == {"a": [1, 1]}
