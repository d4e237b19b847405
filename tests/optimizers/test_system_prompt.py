import json

import pytest

from modicum.optimizers.system_prompt import append_rule, replace_rule
from optimizers.test_arrival import sent

OPENAI = {"model": "gpt-4o", "messages": [{"role": "system", "content": "Help."}, {"role": "user", "content": "hi"}]}


def test_a_text_stands_behind_the_system_prompt():
    after = sent(OPENAI, (append_rule("terse", "Be short.", "gpt-*"),))

    assert [message["content"] for message in after["messages"]] == ["Help.\n\nBe short.", "hi"]


def test_one_system_prompt_stands_in_the_place_of_another():
    rule = replace_rule("new", " Help.\n", "Assist.", "*")

    assert sent(OPENAI, (rule,))["messages"][0]["content"] == "Assist."


OTHERS = [
    append_rule("a", "x", "claude-*"),
    replace_rule("a", "Help", "x", "*"),
    replace_rule("a", "Help.", "x", "o*"),
]


@pytest.mark.parametrize("rule", OTHERS)
def test_other_models_and_other_prompts_stay(rule):
    assert sent(OPENAI, (rule,)) == json.loads(json.dumps(OPENAI))


def test_a_call_without_a_system_prompt_stays_as_it_is():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}

    assert sent(body, (append_rule("a", "x", "*"), replace_rule("b", "", "x", "*"))) == body
