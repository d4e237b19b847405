from importlib.metadata import version

import dspy
from cells import BASE, BUSY, MODELS, SLOW, counted, expect, run

ANSWER = "[[ ## answer ## ]]\nnoon\n\n[[ ## completed ## ]]"


def model(key, headers=None):
    return dspy.LM(
        f"openai/{MODELS['anthropic']}", api_base=f"{BASE}/v1", api_key=key, cache=False, num_retries=0,
        extra_headers=headers or {},
    )  # fmt: skip


def usage_of(asked):
    found = [call["usage"] for call in asked.history]
    return counted(sum(one["prompt_tokens"] for one in found), sum(one["completion_tokens"] for one in found))


def text(key):
    asked = model(key)
    assert asked("What is the tide in Kiel?")[0]
    return usage_of(asked)


def structured(key):
    asked = model(key, {"x-mock-says": '{"answer":"noon"}'})
    with dspy.context(lm=asked, adapter=dspy.JSONAdapter()):
        assert dspy.Predict("question -> answer")(question="When?").answer == "noon"
    return usage_of(asked)


def errors(key):
    expect(Exception, lambda: model(key, BUSY)("When?"))


assert SLOW
run({f.__name__: f for f in (text, structured, errors)}, version("dspy"))
