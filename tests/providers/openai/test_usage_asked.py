import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.openai.usage_asked import with_usage_asked, without_usage_asked


@pytest.mark.parametrize("body", [b"{}", b' {"a":1}', b'{"stream_options":null}', b'{"stream_options":{"x":2}}'])
def test_usage_is_asked_for_and_all_else_stays(body):
    before, after = msgspec.json.decode(body), msgspec.json.decode(with_usage_asked(body.replace(b"{}", b'{"a":1}')))
    assert after["stream_options"]["include_usage"] is True
    assert {name: after[name] for name in before if name != "stream_options"} == {
        name: value for name, value in before.items() if name != "stream_options"
    }
    assert "stream_options" not in msgspec.json.decode(without_usage_asked(msgspec.json.encode(after)))


def test_what_is_no_json_is_refused():
    with pytest.raises(DialectError):
        without_usage_asked(b"{")
