import json

import pytest

from modicum.calls import Usage
from modicum.providers.facts import DialectError
from modicum.providers.openai_realtime.dialect import DIALECT

USAGE = {
    "total_tokens": 250,
    "input_tokens": 130,
    "output_tokens": 120,
    "input_token_details": {
        "text_tokens": 30,
        "audio_tokens": 100,
        "cached_tokens": 20,
        "cached_tokens_details": {"text_tokens": 20, "audio_tokens": 0},
    },
    "output_token_details": {"text_tokens": 20, "audio_tokens": 100},
}


def done(**more):
    response = {"object": "realtime.response", "id": "resp_1", "status": "completed", "usage": USAGE} | more
    return json.dumps({"type": "response.done", "response": response}).encode()


def test_a_response_says_what_it_used_sound_apart():
    facts = DIALECT.reply(done())
    assert facts.usage == Usage(input_uncached=10, cache_read=20, output_visible=20, input_audio=100, output_audio=100)
    assert (facts.reply_id, facts.finish_reason, facts.charges.caveats) == ("resp_1", "completed", ())
    assert DIALECT.reply(done(usage=USAGE | {"smell_tokens": 3})).charges.caveats == ("usage.smell_tokens",)


@pytest.mark.parametrize("event", [b"{", b"[]", b'{"type":"session.created"}', done(usage=None), done(usage={"x": 1})])
def test_what_tells_no_usage_is_no_call(event):
    assert DIALECT.reply(event).usage is None


def test_the_address_names_the_model():
    assert DIALECT.request(b'{"model":"gpt-realtime"}', "").model == "gpt-realtime"
    with pytest.raises(DialectError):
        DIALECT.request(b"{}", "")
