import pytest

from modicum.gateway.http.refusal import Refused
from modicum.gateway.upstreams import Upstreams


def test_a_refusal_says_it_to_the_caller_to_programs_and_to_a_log():
    with pytest.raises(Refused) as refusal:
        Upstreams([], {}).route("gpt-x", "openai-chat")

    assert (refusal.value.status, refusal.value.kind) == (404, "unknown_model")
    assert refusal.value.message == str(refusal.value) != ""
