import json

import pytest

from modicum.providers.facts import DialectError
from modicum.providers.thinking import requested_thinking


@pytest.mark.parametrize(
    ("body", "efforts", "tokens"),
    [
        ({}, (), 0),
        ({"reasoning_effort": "High"}, ("high",), 0),
        ({"reasoning": {"effort": "low", "max_tokens": 5}}, ("low",), 5),
        ({"output_config": {"effort": "max"}, "thinking": {"type": "enabled", "budget_tokens": 2000}}, ("max",), 2000),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": -1}}}, ("low",), None),
        ({"generation_config": {"thinking_config": {"thinking_budget": 9}}}, (), 9),
        ({"reasoning_effort": 7, "reasoning": "much", "thinking": ["x"]}, (), 0),
        ({"reasoning_effort": "low", "reasoning": {"effort": "high"}}, ("low", "high"), 0),
    ],
)
def test_effort_and_budget_are_read_wherever_an_api_has_them(body, efforts, tokens):
    assert requested_thinking(json.dumps(body).encode()) == (efforts, tokens)


def test_what_is_no_json_is_refused():
    with pytest.raises(DialectError):
        requested_thinking(b"{")
