from modicum.energy.servers import KINDS, read_server

PAGE = """\
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{model_name="m"} 8.128902e+06
sglang:generation_tokens_total{model_name="m"} 7.557572e+06
sglang:cached_tokens_total{cache_source="device",model_name="m"} 1000.0
sglang:token_usage{model_name="m"} 0.28
sglang:num_running_reqs{model_name="m"} 161.0
sglang:num_queue_reqs{model_name="m"} 2826.0
"""


def test_tokens_are_read_and_steps_are_not_counted():
    found = read_server("h", PAGE, 0.0)

    assert (found.kind, found.prompt_tokens, found.generated_tokens) == ("sglang", 8_128_902, 7_557_572)
    assert (found.cached_tokens, found.running, found.waiting) == (1000, 161, 2826)
    assert found.steps is None
    assert "does not count its steps" in KINDS["sglang"].remark
