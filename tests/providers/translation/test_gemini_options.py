import msgspec
import pytest

from modicum.providers.translation.gemini_options import generation_config
from modicum.providers.translation.openai_shapes import ChatRequest


def config(model="gemini-2.5-pro", **fields):
    left_out = []
    return generation_config(
        msgspec.convert({"model": "m", "messages": [], **fields}, ChatRequest), model, left_out
    ), left_out


def test_a_request_that_asks_for_nothing_has_none():
    assert config(response_format={"type": "text"}, n=1) == ({}, [])


@pytest.mark.parametrize(
    ("model", "fields", "thinking", "left_out"),
    [
        ("gemini-2.5-flash", {"reasoning_effort": "none"}, {"thinkingBudget": 0}, []),
        ("gemini-2.5-flash", {"thinking": {"type": "disabled"}}, {"thinkingBudget": 0}, []),
        ("gemini-2.5-pro", {"reasoning_effort": "high"}, {"thinkingBudget": 24576}, []),
        ("gemini-3-flash", {"reasoning_effort": "none"}, {"thinkingLevel": "minimal"}, []),
        (
            "gemini-3.1-pro-preview",
            {"thinking": {"type": "enabled", "budget_tokens": 5000}},
            {"thinkingLevel": "medium", "includeThoughts": True},
            ["thinking.budget_tokens"],
        ),
        ("gemini-2.5-pro", {"thinking": {"type": "adaptive"}}, {"includeThoughts": True}, []),
    ],
)
def test_thinking_in_tokens_or_in_levels(model, fields, thinking, left_out):
    assert config(model, **fields) == ({"thinkingConfig": thinking}, left_out)


def test_penalties_choices_and_a_seed_are_carried():
    assert config(n=2, seed=7, presence_penalty=0.1, frequency_penalty=0.2, stop="END")[0] == {
        "candidateCount": 2,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "stopSequences": ["END"],
    }
