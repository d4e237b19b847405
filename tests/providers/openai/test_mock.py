import msgspec

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from providers.mock_rig import CREATED, LONG


def test_openai_caches_a_seen_prefix_in_steps_of_128():
    provider = MockProvider()
    dialect = DIALECTS["openai-chat"]

    def ask(*said):
        messages = [{"role": "system", "content": LONG}, *({"role": "user", "content": one} for one in said)]
        body = msgspec.json.encode({"model": "m", "messages": messages})
        return dialect.reply(provider.answer(dialect, body, "", MockOptions(), CREATED).parts[0]).usage

    first, second = ask("one"), ask("one", "two")
    assert first.cache_read == 0
    assert second.cache_read >= 1024
    assert second.cache_read % 128 == 0
    assert second.prompt_tokens > first.prompt_tokens
