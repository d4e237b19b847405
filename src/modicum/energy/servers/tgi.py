"""Text Generation Inference's metrics page."""

from modicum.energy.servers.counters import Counters
from modicum.energy.servers.exposition import Exposition

REMARK = "TGI counts the tokens of a request when the request ends: windows much shorter than a request are inexact"


def read(metrics: Exposition) -> Counters:
    return Counters(
        prompt_tokens=metrics.total("tgi_request_input_length_sum"),
        cached_tokens=None,
        generated_tokens=metrics.total("tgi_request_generated_tokens_sum"),
        steps=metrics.total("tgi_batch_inference_count"),
        running=metrics.total("tgi_batch_current_size"),
        waiting=metrics.total("tgi_queue_size"),
    )
