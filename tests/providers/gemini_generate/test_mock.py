import msgspec
import pytest

from modicum.providers.gemini_generate.dialect import DIALECT
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider, models
from providers.mock_rig import CREATED


def test_tokens_can_be_counted_and_models_listed():
    counted = MockProvider().count(DIALECT, b'{"contents":[]}', "/v1beta/models/m:countTokens")
    assert msgspec.json.decode(counted.parts[0]) == {"totalTokens": 0}
    listed = msgspec.json.decode(models(DIALECT, ["a"], CREATED).parts[0])
    assert listed == {"models": [{"name": "models/a", "displayName": "a"}]}


@pytest.mark.parametrize("field", ["parameters", "parametersJsonSchema", "parameters_json_schema"])
def test_a_tool_is_called_as_its_schema_says_whatever_the_field_is_called(field):
    tool = {"name": "tide", field: {"type": "object", "properties": {"at": {"type": "string", "enum": ["Kiel"]}}}}
    calling = {"functionCallingConfig": {"mode": "ANY"}}
    body = msgspec.json.encode({"contents": [], "tools": [{"functionDeclarations": [tool]}], "toolConfig": calling})
    answer = MockProvider().answer(DIALECT, body, "/v1beta/models/m:generateContent", MockOptions(), CREATED)
    (part,) = msgspec.json.decode(answer.parts[0])["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["args"] == {"at": "Kiel"}
