"""SGLang's metrics page (`--enable-metrics`; docs/references/production_metrics.md of its repository)."""

from modicum.energy.servers.counters import Counters
from modicum.energy.servers.exposition import Exposition

REMARK = "SGLang does not count its steps: their cost is computed from the time with requests, as power above idle"


def read(metrics: Exposition) -> Counters:
    return Counters(
        prompt_tokens=metrics.total("sglang:prompt_tokens_total"),
        cached_tokens=metrics.total("sglang:cached_tokens_total"),
        generated_tokens=metrics.total("sglang:generation_tokens_total"),
        steps=None,
        running=metrics.total("sglang:num_running_reqs"),
        waiting=metrics.total("sglang:num_queue_reqs"),
        cache_use=metrics.total("sglang:token_usage"),
        model=metrics.labels("model_name", "sglang:generation_tokens_total"),
    )
