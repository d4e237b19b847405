import msgspec

from modicum.providers.gemini_generate.dialect import DIALECT
from modicum.providers.mock.provider import MockProvider, models
from providers.mock_rig import CREATED


def test_tokens_can_be_counted_and_models_listed():
    counted = MockProvider().count(DIALECT, b'{"contents":[]}', "/v1beta/models/m:countTokens")
    assert msgspec.json.decode(counted.parts[0]) == {"totalTokens": 0}
    listed = msgspec.json.decode(models(DIALECT, ["a"], CREATED).parts[0])
    assert listed == {"models": [{"name": "models/a", "displayName": "a"}]}
