from modicum.energy.servers import read_server

PAGE = """\
tgi_request_input_length_sum 500
tgi_request_input_length_count 5
tgi_request_generated_tokens_sum 120
tgi_batch_inference_count{method="prefill"} 5
tgi_batch_inference_count{method="decode"} 60
tgi_batch_current_size 2
tgi_queue_size 1
"""


def test_prefill_and_decode_runs_are_both_steps():
    found = read_server("h", PAGE, 0.0)

    assert (found.kind, found.prompt_tokens, found.generated_tokens, found.steps) == ("tgi", 500, 120, 65)
    assert (found.running, found.waiting, found.cached_tokens) == (2, 1, None)
