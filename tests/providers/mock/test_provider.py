"""The mock provider's answers, read by the official clients and metered by the dialects."""

import msgspec
import openai
import pytest
from anthropic.pagination import SyncPage

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import FAULTS, MockOptions
from modicum.providers.mock.provider import MockProvider, models
from providers.mock_rig import CREATED, GEMINI_PATHS, HELLO, TOOLS, metered


@pytest.mark.parametrize("name", sorted(TOOLS))
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault])
def test_faults_look_like_those_of_providers(name, fault):
    request = {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        **TOOLS[name],
        "tool_choice": "auto",
        "max_tokens": 3,
    }
    facts = metered(name, request, MockOptions(fault=fault), GEMINI_PATHS[True])
    if fault == "no_usage":
        assert facts.complete
        assert facts.usage is None
        assert facts.output_text
    elif fault == "over_bound":
        assert facts.complete
        assert facts.usage.completion_tokens > 3
    else:
        assert not facts.complete
        assert not facts.usage_final
    assert bool(facts.error_kind) == (fault in {"rate_limited", "overloaded", "server_error", "error_event"})


def test_a_broken_off_reply_tells_the_server_to_cut_the_connection():
    body = msgspec.json.encode({"model": "m", "messages": HELLO})
    answer = MockProvider().answer(DIALECTS["openai-chat"], body, "", MockOptions(fault="broken_off"), CREATED)
    assert answer.breaks_off
    assert DIALECTS["openai-chat"].reply(answer.parts[0]).problem


def test_overload_has_the_status_of_its_provider():
    for name, status in (("anthropic-messages", 529), ("openai-chat", 503)):
        body = msgspec.json.encode({"model": "m", "max_tokens": 5, "messages": HELLO})
        answer = MockProvider().answer(DIALECTS[name], body, "", MockOptions(fault="overloaded"), CREATED)
        assert (answer.status, dict(answer.headers)) == (status, {"retry-after": "1"})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai-chat", b"{"),
        ("openai-chat", b'{"model":"m","max_tokens":0}'),
        ("anthropic-messages", b'{"model":"m","messages":[]}'),
        ("openai-responses", b'{"input":"x"}'),
    ],
)
def test_bad_requests_are_answered_as_bad_requests(name, body):
    answer = MockProvider().answer(DIALECTS[name], body, "", MockOptions(), CREATED)
    assert answer.status == 400
    assert DIALECTS[name].reply(answer.parts[0]).error_kind == "invalid_request_error"


def test_tokens_can_be_counted_and_models_listed_as_the_official_clients_read_them():
    provider = MockProvider()
    body = msgspec.json.encode({"model": "m", "messages": HELLO})
    assert msgspec.json.decode(provider.count(DIALECTS["anthropic-messages"], body, "").parts[0]) == {"input_tokens": 4}
    assert provider.count(DIALECTS["anthropic-messages"], b"{", "").status == 400
    pages = models(DIALECTS["anthropic-messages"], ["a", "b"], CREATED).parts[0]
    assert [model["id"] for model in SyncPage.model_validate_json(pages).data] == ["a", "b"]
    (model,) = msgspec.json.decode(models(DIALECTS["openai-chat"], ["a"], CREATED).parts[0])["data"]
    assert openai.types.Model.model_validate(model, strict=True).id == "a"


def test_a_fault_may_come_by_lot_and_an_answer_may_never_come():
    provider = MockProvider(b"salt")
    body = msgspec.json.encode({"model": "m", "messages": HELLO})

    def answer(**options):
        return provider.answer(DIALECTS["openai-chat"], body, "", MockOptions(**options), CREATED)

    statuses = [answer(fault="server_error", fault_percent=30).status for _ in range(300)]
    assert 60 < statuses.count(500) < 120
    assert statuses.count(500) + statuses.count(200) == 300
    assert answer(fault="server_error", fault_percent=0).status == 200
    assert answer(fault="silent").is_silent
