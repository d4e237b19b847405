import json

from modicum.providers.prompt import GO_ON
from providers.prompt_rig import only, prompt, told


def test_anthropic_blocks_are_units_of_their_own():
    found = prompt(
        "anthropic-messages",
        system=[{"type": "text", "text": "be brief"}],
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "x"},
                    {"type": "text", "text": "go on"},
                ],
            },
        ],
    )

    assert told(found) == [
        ("system", "", "be brief", set()),
        ("user", "", "hi", set()),
        ("tool_call", "", None, {"t1"}),
        ("tool_result", "", "x", {"t1"}),
        ("user", "", "go on", set()),
    ]
    assert found.system == "be brief"
    left = json.loads(only(found, found.units[:4]))["messages"]
    assert left[2]["content"] == [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]


def test_an_anthropic_prompt_never_ends_or_begins_with_the_models_own_words_for_want_of_others():
    messages = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
    found = prompt("anthropic-messages", messages=messages)

    assert only(found, found.units[1:]) is None
    left = json.loads(only(found, found.units[:2]))["messages"]
    assert left == [*messages[:2], {"role": "user", "content": GO_ON}]
