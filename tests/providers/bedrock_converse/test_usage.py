import pytest

from modicum.calls import Tier, Usage
from modicum.providers.bedrock_converse.usage import charges_from, tier_from, usage_from, wire_usage

WHOLE = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 115, "cacheReadInputTokens": 60}


def test_cached_input_stands_beside_the_rest():
    assert usage_from(WHOLE | {"cacheWriteInputTokens": 40}) == Usage(10, 60, 40, 0, 5)
    details = {"cacheDetails": [{"ttl": "1h", "inputTokens": 30}, {"ttl": "5m", "inputTokens": 10}]}
    assert usage_from(WHOLE | {"cacheWriteInputTokens": 40} | details) == Usage(10, 60, 10, 30, 5)
    older = {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokenCount": 3, "cacheWriteInputTokenCount": 4}
    assert usage_from(older) == Usage(1, 3, 4, 0, 2)
    assert usage_from(wire_usage(Usage(10, 60, 40, 0, 5))) == Usage(10, 60, 40, 0, 5)


def test_what_is_no_count_or_not_known_is_said():
    with pytest.raises(ValueError, match="inputTokens"):
        usage_from({"inputTokens": -1, "outputTokens": 2})
    assert charges_from(WHOLE | {"smellTokens": 3}).caveats == ("usage.smellTokens",)
    assert charges_from(WHOLE).caveats == ()
    assert tier_from({"serviceTier": {"type": "priority"}}) is Tier.PRIORITY
    assert tier_from({}) is Tier.STANDARD
