import pytest

from modicum.calls.caveats import CHANGED_LANE, SUM_OF_SESSION, explain_caveat, is_unknown_field


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("usage.smell_tokens", "usage.smell_tokens: a number that this version does not know"),
        ("service_tier=turbo", "service_tier=turbo: a word for the price that this version does not know"),
        ("speed", "speed: a word for the price that this version does not know"),
        (
            "column.(a field without a plain name)",
            "column.(a field without a plain name): a number that this version does not know",
        ),
    ],
)
def test_a_field_that_nobody_knows_is_worth_a_report(name, text):
    assert is_unknown_field(name)
    assert explain_caveat(name) == text


def test_a_doubt_that_no_later_version_can_settle_is_none():
    assert not is_unknown_field(SUM_OF_SESSION)
    assert not is_unknown_field(CHANGED_LANE)
    assert not is_unknown_field("gen_ai.usage.input_tokens of Bedrock, with or without the cached ones")
    assert "last model" in explain_caveat(SUM_OF_SESSION)
