import pytest

from modicum.calls import Usage
from modicum.importers.claude_code.usage import CacheCreation, OutputDetails, UsageFields


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        (UsageFields(input_tokens=3, output_tokens=7), Usage(input_uncached=3, output_visible=7)),
        (UsageFields(cache_creation_input_tokens=9), Usage(cache_write_5m=9)),
        (
            UsageFields(
                cache_creation_input_tokens=9,
                cache_creation=CacheCreation(ephemeral_5m_input_tokens=4, ephemeral_1h_input_tokens=5),
                output_tokens=7,
                output_tokens_details=OutputDetails(thinking_tokens=2),
            ),
            Usage(cache_write_5m=4, cache_write_1h=5, output_visible=5, output_reasoning=2),
        ),
        (UsageFields(input_tokens=None, output_tokens=None), Usage()),
    ],
)
def test_a_usage_object_whose_fields_are_all_known_gives_buckets(fields, usage):
    assert fields.buckets() == usage
