import pytest

from modicum.providers.translation.claude_models import ClaudeModel, claude_model


@pytest.mark.parametrize(
    ("name", "effort", "budget", "sampling", "schema"),
    [
        ("claude-3-5-sonnet-20241022", False, False, True, False),
        ("claude-3-7-sonnet-20250219", False, True, True, False),
        ("claude-sonnet-4-20250514", False, True, True, False),
        ("claude-opus-4-1-20250805", False, True, True, True),
        ("claude-haiku-4-5-20251001", False, True, True, True),
        ("claude-opus-4-5", True, True, True, True),
        ("anthropic.claude-sonnet-4-6-v1:0", True, True, True, True),
        ("claude-opus-4-7", True, False, False, True),
        ("claude-sonnet-5", True, False, False, True),
        ("claude-fable-5-1", True, False, False, True),
    ],
)
def test_what_a_model_takes_stands_in_its_name(name, effort, budget, sampling, schema):
    model = claude_model(name)
    assert (model.takes_effort, model.takes_budget) == (effort, budget)
    assert (model.takes_sampling, model.takes_schema) == (sampling, schema)


def test_a_name_of_no_version_is_a_model_that_takes_everything():
    assert claude_model("our-own-model") == ClaudeModel()
    assert claude_model("claude-sonnet-4-20250514").takes_temperature_with_top_p
    assert not claude_model("claude-sonnet-4-5").takes_temperature_with_top_p
