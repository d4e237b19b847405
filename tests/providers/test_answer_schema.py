import json

import pytest

from modicum.providers.answer_schema import answer_schema

SHAPE = {"type": "object"}


@pytest.mark.parametrize(
    ("request_of", "schema"),
    [
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": SHAPE}}}, SHAPE),
        ({"text": {"format": {"type": "json_schema", "schema": SHAPE}}}, SHAPE),
        ({"output_format": {"type": "json_schema", "schema": SHAPE}}, SHAPE),
        ({"output_config": {"format": {"schema": SHAPE}}}, SHAPE),
        ({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}, {"type": "OBJECT"}),
        ({"response_format": {"type": "json_object"}}, {}),
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": "json", "text": 3}, None),
        ({}, None),
    ],
)
def test_the_shape_that_a_request_asks_for(request_of, schema):
    assert answer_schema(json.dumps(request_of).encode()) == schema


def test_what_is_no_request_asks_for_nothing():
    assert answer_schema(b"[") is None
