from types import SimpleNamespace

import pytest

from modicum.gateway import usage_refusals
from modicum.gateway.usage_refusals import UsageRefusals, is_refusal


def route(model, name="desk", base=b"/v1"):
    return SimpleNamespace(upstream=SimpleNamespace(name=name, base=base), model=model)


def test_a_refusal_holds_for_its_upstream_and_model_and_for_a_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(usage_refusals, "monotonic", lambda: now[0])
    refusals = UsageRefusals()
    refusals.remember(route("a"))

    assert refusals.has(route("a"))
    assert not refusals.has(route("b"))
    assert not refusals.has(route("a", name="other"))
    now[0] += usage_refusals.AGAIN_AFTER_S
    assert not refusals.has(route("a"))


def test_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(usage_refusals, "MOST_REMEMBERED", 2)
    refusals = UsageRefusals()
    for model in "abc":
        refusals.remember(route(model))

    assert [refusals.has(route(model)) for model in "abc"] == [False, True, True]


@pytest.mark.parametrize(
    ("body", "refuses"),
    [
        (b"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]", True),
        (b'{"detail":"Unknown parameter: streamOptions"}', True),
        (b"unknown field include_usage", True),
        (b"max_tokens is too large", False),
        (b"", False),
    ],
)
def test_a_refusal_names_what_it_refuses(body, refuses):
    assert is_refusal(body) is refuses
