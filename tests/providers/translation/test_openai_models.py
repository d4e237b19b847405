import pytest

from modicum.providers.translation.openai_models import effort_for_budget


@pytest.mark.parametrize(
    ("budget", "model", "effort"),
    [
        (1024, "gpt-5.2", "low"),
        (8000, "o4-mini", "medium"),
        (31999, "openai/gpt-6", "high"),
        (31999, "gpt-4o", ""),
        (31999, "gpt-5-chat-latest", ""),
        (31999, "qwen3", ""),
        (None, "gpt-5.2", ""),
    ],
)
def test_a_budget_is_an_effort_where_the_model_reasons(budget, model, effort):
    assert effort_for_budget({"type": "enabled", "budget_tokens": budget}, model) == effort
    assert effort_for_budget({"type": "disabled"}, model) == ""
