import pytest

from modicum.metering.context_windows import context_window_tokens


@pytest.mark.parametrize(
    "model",
    [
        "claude-3-haiku-20240307",
        "anthropic/claude-3-haiku-20240307",
        "vertex_ai/claude-3-haiku@20240307",
        "us.anthropic.claude-3-haiku-20240307-v1:0",
    ],
)
def test_a_window_is_found_under_any_sellers_name(model):
    assert context_window_tokens(model) == 200_000


def test_where_the_maker_has_no_figure_openrouters_counts():
    assert context_window_tokens("gemini-2.5-pro") == context_window_tokens("openrouter/google/gemini-2.5-pro")
    assert context_window_tokens("gemini-2.5-pro") >= 1_000_000


def test_the_window_of_an_unknown_model_is_unknown():
    assert context_window_tokens("my-own-model") is None
