import pytest

from modicum.calls import UserError
from modicum.settings import USUAL_UPSTREAMS, UpstreamSettings, upstream_key


def keyed(key):
    return UpstreamSettings(url="https://a.example/v1", speaks="openai", key=key)


def test_a_key_comes_from_where_the_settings_say(tmp_path):
    path = tmp_path / "key"
    path.write_text("sk-file\n")

    assert upstream_key("a", keyed("env:KEY"), {"KEY": " sk-env "}) == "sk-env"
    assert upstream_key("a", keyed("env:KEY"), {}) == ""
    assert upstream_key("a", keyed(f"file:{path}")) == "sk-file"
    assert upstream_key("a", keyed("")) == ""


@pytest.mark.parametrize("key", ["sk-secret", "env:", "file:/no/such/file"])
def test_a_key_in_the_settings_themselves_is_refused_and_not_repeated(key):
    with pytest.raises(UserError, match=r"upstreams\.a\.key") as refused:
        upstream_key("a", keyed(key))
    assert "sk-secret" not in str(refused.value)


def test_without_settings_calls_go_to_three_providers():
    assert list(USUAL_UPSTREAMS) == ["openai", "anthropic", "gemini"]
