import pytest

from modicum.calls import UserError
from modicum.energy.servers import read_server
from modicum.energy.servers.exposition import parse_exposition
from modicum.energy.servers.vllm import read

PAGE = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 7.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.31
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 9000.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 4000.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 9000.0
vllm:generation_tokens_total{engine="0",model_name="m"} 1200.0
vllm:iteration_tokens_total_bucket{engine="0",le="8.0",model_name="m"} 100.0
vllm:iteration_tokens_total_count{engine="0",model_name="m"} 400.0
vllm:iteration_tokens_total_sum{engine="0",model_name="m"} 6200.0
process_start_time_seconds 1.7e+09
"""
OLD = """\
vllm:num_requests_running{model_name="m"} 1.0
vllm:num_requests_waiting{model_name="m"} 0.0
vllm:gpu_cache_usage_perc{model_name="m"} 0.5
vllm:prompt_tokens_total{model_name="m"} 10.0
vllm:generation_tokens_total{model_name="m"} 20.0
vllm:iteration_tokens_total_count{model_name="m"} 5.0
"""


def test_the_present_names_are_read():
    found = read_server("http://h:8000", PAGE, 5.0)

    assert (found.kind, found.prompt_tokens, found.cached_tokens, found.generated_tokens) == ("vllm", 9000, 4000, 1200)
    assert (found.steps, found.running, found.waiting, found.cache_use) == (400, 7, 2, 0.31)
    assert found.started == 1.7e9


def test_older_names_are_read_and_what_is_missing_is_none():
    found = read(parse_exposition(OLD))

    assert found.cache_use == 0.5
    assert found.cached_tokens is None


def test_data_parallel_ranks_are_added_up():
    page = PAGE + PAGE.replace('engine="0"', 'engine="1"').replace("process", "other")

    assert read_server("h", page, 0.0).generated_tokens == 2400


def test_a_page_of_an_unknown_server_is_refused():
    with pytest.raises(UserError, match="no metrics of a known server"):
        read_server("http://h", "trtllm_tokens 1\n", 0.0)


def test_a_page_that_is_no_metrics_page_is_refused():
    with pytest.raises(UserError, match="is this the right address"):
        read_server("http://h", "<html></html>", 0.0)


def test_drafted_tokens_and_first_tokens_are_read():
    more = (
        'vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 900.0\n'
        'vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 31.0\n'
    )

    found = read(parse_exposition(PAGE + more))

    assert (found.drafted_tokens, found.first_tokens) == (900, 31)
