"""Rules in a program of the user's: behind the transport of an official client, with the mock provider."""

import json
from datetime import UTC, datetime

import httpx2
import openai
import pytest

from modicum.calls import UserError
from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.rule import Rule, RuleEffect
from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.sdk.rules import apply_rules
from optimizers.toy_rules import BROKEN, TOYS

FACTS = Facts(at=datetime(2026, 2, 3, tzinfo=UTC), model="gpt-4o")


def test_a_program_of_its_own_runs_rules_before_its_client_sends():
    sent, provider = [], MockProvider()

    def send(request):
        ruled = apply_rules("openai-chat", request.read(), FACTS, TOYS)
        sent.append(json.loads(ruled.body))
        answer = provider.answer(DIALECTS["openai-chat"], ruled.body, request.url.path, MockOptions(), 1_763_800_000)
        return httpx2.Response(
            answer.status, content=b"".join(answer.parts), headers={"content-type": "application/json"}
        )

    web = httpx2.Client(transport=httpx2.MockTransport(send))
    with openai.OpenAI(api_key="none", http_client=web, max_retries=0) as client:
        thanks = {"role": "user", "content": "Thank you so much for all of this"}
        reply = client.chat.completions.create(model="gpt-4o", messages=[thanks])

    assert sent[0]["messages"] == [{"role": "user", "content": "Thanks."}]
    assert reply.usage.completion_tokens > 0


def test_what_no_rule_changes_is_the_same_bytes_and_a_rule_that_fails_changes_nothing():
    body = b'{ "model": "gpt-4o",  "messages": [] }'

    ruled = apply_rules("openai-chat", body, FACTS, [BROKEN])

    assert ruled.body is body
    assert [(one.rule, one.effect) for one in ruled.decisions] == [("toy.broken", RuleEffect.FAILED)]


def test_another_model_is_said_beside_the_body():
    smaller = Rule("toy.smaller", lambda *_: Change(model="gpt-4o-mini", why="short"))
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'

    assert apply_rules("openai-chat", body, FACTS, [smaller])[:2] == (body, "gpt-4o-mini")


def test_a_dialect_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(UserError, match=r"no dialect 'chat'; there are .*openai-chat"):
        apply_rules("chat", b"{}", FACTS)
