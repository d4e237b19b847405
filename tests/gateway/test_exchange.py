"""A call on its way: what it knows of its time, its request and its caller."""

import pytest

from modicum.calls import Owner
from modicum.gateway import exchange as exchange_module
from modicum.gateway.callers.attribution import Attribution
from modicum.gateway.callers.owners import Caller
from modicum.gateway.exchange import Exchange, Request, Timing
from modicum.gateway.http.paths import CALL, Served
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import RequestFacts
from modicum.settings import UpstreamSettings

BODY = b'{"model":"gpt-a","messages":[{"role":"user","content":"hi"}]}'
UPSTREAMS = Upstreams(
    [
        Upstream("own", UpstreamSettings(url="http://10.0.0.5:8000/v1", speaks="openai", models=("gpt-*",)), ""),
        Upstream("claude", UpstreamSettings(url="https://api.anthropic.com/v1", speaks="anthropic"), ""),
    ],
    {},
)


class Answered:
    """A reply under way."""

    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def exchange():
    caller = Caller(Owner(), (), None)
    served = Served(DIALECTS["openai-chat"], CALL, "/chat/completions")
    request = Request(served, "/v1/chat/completions", b"", caller, {}, [], BODY)
    about = Attribution(Owner(), "", "", "", "", {})
    return Exchange("1", request, caller, RequestFacts(model="gpt-a"), about, UPSTREAMS.route("gpt-a", "openai-chat"))


def test_the_time_that_passes_does_not_follow_a_clock_that_is_set(monkeypatch):
    clock = [50.0]
    monkeypatch.setattr(exchange_module, "monotonic", lambda: clock[0])
    timing = Timing(1_000.0)
    clock[0] += 2.5

    assert timing.now_s() == 1_002.5


def test_an_edit_changes_what_is_sent_and_its_prompt_but_not_what_came(exchange):
    before = [unit.text for unit in exchange.prompt.units]

    exchange.edit(BODY.replace(b"hi", b"ho"))

    assert (before, [unit.text for unit in exchange.prompt.units]) == (["hi"], ["ho"])
    assert (exchange.request.body, exchange.body) == (BODY, BODY.replace(b"hi", b"ho"))


def test_another_way_takes_its_server_and_its_dialect_along(exchange):
    assert exchange.about.tags == {"server": "10.0.0.5:8000"}
    assert exchange.translation is None

    exchange.go(UPSTREAMS.route("claude-x", "openai-chat"))

    assert "server" not in exchange.about.tags
    assert exchange.upstream_dialect is DIALECTS["anthropic-messages"]
    assert exchange.translation is not None


@pytest.mark.parametrize("sent_first", [True, False])
def test_for_a_caller_that_left_no_reply_is_waited_for(exchange, sent_first):
    answer = Answered()
    steps = [lambda: exchange.sent(answer), exchange.client_left]
    for step in steps if sent_first else reversed(steps):
        assert not answer.closed
        step()

    assert answer.closed


def test_a_feature_finds_what_it_knows_and_nothing_of_another(exchange):
    exchange.features = (5, "five")

    assert (exchange.of(str), exchange.of(bytes)) == ("five", None)
