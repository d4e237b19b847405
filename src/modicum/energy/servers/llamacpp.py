"""The metrics page of llama.cpp's server (`--metrics`). Its prompt counter holds processed tokens only; since August
2026 a second one holds those that were found in a slot's cache, and counters of drafted tokens stand beside them.
"""

from modicum.energy.servers.counters import Counters
from modicum.energy.servers.exposition import Exposition


def read(metrics: Exposition) -> Counters:
    processed = metrics.total("llamacpp:prompt_tokens_total")
    cached = metrics.total("llamacpp:prompt_tokens_cached_total")
    return Counters(
        prompt_tokens=processed + cached if processed is not None and cached is not None else processed,
        cached_tokens=cached,
        generated_tokens=metrics.total("llamacpp:tokens_predicted_total"),
        drafted_tokens=metrics.total("llamacpp:spec_decode_num_draft_tokens_total"),
        steps=metrics.total("llamacpp:n_decode_total"),
        running=metrics.total("llamacpp:requests_processing"),
        waiting=metrics.total("llamacpp:requests_deferred"),
        cache_use=metrics.total("llamacpp:kv_cache_usage_ratio"),
    )
