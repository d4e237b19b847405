"""Limits that a provider names in its replies, through the whole gateway."""

import httpx2 as httpx

from gateway.resilience.failing_rig import failing
from modicum.gateway.limits import provider_limits


def metrics(rig):
    lines = httpx.get(f"{rig.url}/metrics").text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line.startswith("modicum_provider_limit"))


def name(what, unit, model="gpt-4o-mini"):
    return f'modicum_provider_limit{what}{{model="{model}",unit="{unit}",upstream="main"}}'


def test_the_newest_reply_of_each_model_says_how_limits_stand(tmp_path, monkeypatch):
    with failing(tmp_path, main={}) as rig:
        rig.more_headers = "x-ratelimit-limit-requests: 500\r\nx-ratelimit-remaining-requests: 499\r\n"
        reply = rig.chat()
        # passed, where no limit of ours stands in its place
        assert reply.headers["x-ratelimit-limit-requests"] == "500"
        assert metrics(rig) == {name("", "requests"): "500.0", name("_left", "requests"): "499.0"}
        rig.more_headers = "x-ratelimit-limit-requests: 500\r\nx-ratelimit-remaining-requests: 7\r\n"
        rig.chat()
        assert metrics(rig)[name("_left", "requests")] == "7.0"
        monkeypatch.setattr(provider_limits, "FRESH_S", -1.0)
        assert metrics(rig)[name("_left", "requests")] == "NaN"  # too old to say anything of now


def test_odd_headers_and_many_models_do_no_harm(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.gateway.limits.provider_limits.MOST_MODELS", 5)
    with failing(tmp_path, main={}) as rig:
        rig.more_headers = "x-ratelimit-limit-requests: many\r\nx-ratelimit-remaining-requests: \r\n"
        assert rig.chat().status_code == 200
        assert metrics(rig) == {}
        rig.more_headers = "x-ratelimit-limit-tokens: 5\r\nx-ratelimit-remaining-tokens: 1\r\n"
        for number in range(9):
            rig.chat(model=f"m-{number}")
        assert len(rig.gateway.parts.provider_limits._newest) == 5


def test_our_limits_stand_in_the_place_of_the_providers(tmp_path):
    with failing(tmp_path, limits=[{"calls_per_minute": 9}], main={}) as rig:
        rig.more_headers = "x-ratelimit-limit-requests: 500\r\nx-ratelimit-limit-tokens: 5\r\n"
        headers = rig.chat().headers
        assert headers["x-ratelimit-limit-requests"] == "9"
        assert "x-ratelimit-limit-tokens" not in headers
