"""What a verifier can judge; programs of the owner's are asked in test_moved_calls.py."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from modicum.gateway.cascades.judging import CascadeJudge, answer_of
from modicum.providers.dialects import DIALECTS
from modicum.routing.verifiers import ModelAnswer
from modicum.settings import CascadeSettings

BODY = json.dumps({"response_format": {"type": "json_object"}}).encode()


def judge(verifier, answer, body=BODY, **more):
    one = CascadeJudge("mine", CascadeSettings(models="*", first="mini", verifier=verifier, **more))
    return asyncio.run(one.judge(SimpleNamespace(edited=body), answer))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "failed"),
        (ModelAnswer("", "stop"), "empty"),
        (ModelAnswer("{}", "length"), "cut_off"),
        (ModelAnswer("", "tool_calls", calls_tools=True), "calls_tools"),
        (ModelAnswer("no", "stop"), "no_json"),
        (ModelAnswer("{}", "stop"), ""),
    ],
)
def test_a_schema_judges_whole_answers_alone(answer, why):
    verdict = judge("schema", answer)

    assert (verdict.is_believed, verdict.why) == (not why, why)


def test_only_calls_that_ask_for_json_can_be_judged_by_a_schema():
    schema = CascadeJudge("mine", CascadeSettings(models="*", first="mini", verifier="schema"))

    assert (schema.can_judge(BODY), schema.can_judge(b"{}")) == (True, False)
    assert judge("schema", ModelAnswer("{}", "stop"), b"{}").why == "no_schema"


def test_an_answer_is_read_in_the_callers_dialect():
    message = {"content": "Paris"}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    exchange = SimpleNamespace(
        answer=SimpleNamespace(status=200),
        reply=SimpleNamespace(error_kind="", finish_reason="stop"),
        request=SimpleNamespace(served=SimpleNamespace(dialect=DIALECTS["openai-chat"])),
    )

    assert answer_of(exchange, body) == ModelAnswer("Paris", "stop")
    exchange.answer.status = 500
    assert answer_of(exchange, body) is None
