import msgspec
import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from providers.mock_rig import CREATED, LONG


@pytest.mark.parametrize(("ttl", "bucket"), [({}, "cache_write_5m"), ({"ttl": "1h"}, "cache_write_1h")])
def test_anthropic_caches_what_has_a_breakpoint_and_bills_the_write(ttl, bucket):
    provider = MockProvider()
    dialect = DIALECTS["anthropic-messages"]

    def ask(said, control):
        system = [{"type": "text", "text": LONG, **control}]
        body = {"model": "m", "max_tokens": 9, "system": system, "messages": [{"role": "user", "content": said}]}
        return dialect.reply(
            provider.answer(dialect, msgspec.json.encode(body), "", MockOptions(), CREATED).parts[0]
        ).usage

    control = {"cache_control": {"type": "ephemeral", **ttl}}
    first, second = ask("one", control), ask("two", control)
    assert (first.cache_read, getattr(first, bucket) > 1024) == (0, True)
    assert second.cache_read > 1024 > getattr(second, bucket) > 0
    assert ask("one", {}).cache_read == 0
