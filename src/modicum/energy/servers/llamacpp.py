"""The metrics page of llama.cpp's server (`--metrics`). Its prompt counter holds processed tokens only: what was found
in a slot's cache is not in it, so nothing has to be taken off.
"""

from modicum.energy.servers.counters import Counters
from modicum.energy.servers.exposition import Exposition


def read(metrics: Exposition) -> Counters:
    return Counters(
        prompt_tokens=metrics.total("llamacpp:prompt_tokens_total"),
        cached_tokens=None,
        generated_tokens=metrics.total("llamacpp:tokens_predicted_total"),
        steps=metrics.total("llamacpp:n_decode_total"),
        running=metrics.total("llamacpp:requests_processing"),
        waiting=metrics.total("llamacpp:requests_deferred"),
        cache_use=metrics.total("llamacpp:kv_cache_usage_ratio"),
    )
