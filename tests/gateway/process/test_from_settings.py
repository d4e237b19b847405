import pytest

from modicum.calls import UserError
from modicum.gateway.process.from_settings import upstreams_of
from modicum.settings import Settings, UpstreamSettings


def test_without_upstreams_the_usual_three_are_served():
    assert [upstream.name for upstream in upstreams_of(Settings())] == ["openai", "anthropic", "gemini"]


def test_a_wrong_upstream_is_refused_by_name():
    wrong = Settings(upstreams={"mine": UpstreamSettings(url="nowhere", speaks="openai")})
    with pytest.raises(UserError, match=r"upstreams\.mine\.url"):
        upstreams_of(wrong)
