"""vLLM's metrics page (docs/design/metrics.md of its repository); older names beside the present ones."""

from modicum.energy.servers.counters import Counters
from modicum.energy.servers.exposition import Exposition


def read(metrics: Exposition) -> Counters:
    return Counters(
        prompt_tokens=metrics.total("vllm:prompt_tokens_total"),
        cached_tokens=metrics.total(
            "vllm:prefix_cache_hits_total", "vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits_total"
        ),
        generated_tokens=metrics.total("vllm:generation_tokens_total"),
        drafted_tokens=metrics.total("vllm:spec_decode_num_draft_tokens_total", "vllm:spec_decode_num_draft_tokens"),
        first_tokens=metrics.total("vllm:time_to_first_token_seconds_count"),
        steps=metrics.total("vllm:iteration_tokens_total_count"),
        running=metrics.total("vllm:num_requests_running"),
        waiting=metrics.total("vllm:num_requests_waiting"),
        cache_use=metrics.total("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
        model=metrics.labels("model_name", "vllm:generation_tokens_total"),
    )
