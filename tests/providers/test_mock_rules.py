"""What dialects have in common in their mock providers."""

import openai
import pytest

from modicum.calls import Usage
from modicum.providers.mock_rules import MockRules

RULES = MockRules()
SCHEMA = {"type": "object"}


def test_what_was_seen_before_is_read_from_the_cache():
    assert RULES.prompt(100, lambda: 60, b"{}") == Usage(input_uncached=40, cache_read=60)


@pytest.mark.parametrize(
    ("tool", "offered"),
    [
        ({"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}, [("tide", SCHEMA)]),
        ({"type": "function", "name": "tide", "parameters": SCHEMA}, [("tide", SCHEMA)]),
        ({"name": "tide", "input_schema": SCHEMA}, [("tide", SCHEMA)]),
        ({"name": "tide"}, [("tide", {})]),
        ({"type": "web_search"}, []),
        ("tide", []),
    ],
)
def test_tools_are_found_in_every_shape_that_clients_send(tool, offered):
    assert list(RULES.tools({"tools": [tool]})) == offered


@pytest.mark.parametrize(
    ("choice", "forced"),
    [
        ("required", True),
        ({"type": "any"}, True),
        ({"type": "tool", "name": "tide"}, True),
        ({"type": "function", "name": "tide"}, True),
        ("auto", False),
        ({"type": "auto"}, False),
        (None, False),
    ],
)
def test_a_choice_may_force_a_tool(choice, forced):
    assert RULES.forces_tool({"tool_choice": choice}) is forced


def test_counts_and_lists_have_the_usual_shapes():
    assert RULES.count(4) == {"input_tokens": 4}
    (model,) = RULES.models(["a"], 1763800000)["data"]
    assert openai.types.Model.model_validate(model, strict=True).created == 1763800000
