import json

from modicum.energy.servers import read_server

PAGE = """\
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 300
llamacpp:tokens_predicted_total 80
llamacpp:n_decode_total 85
llamacpp:requests_processing 1
llamacpp:requests_deferred 0
"""


def test_processed_tokens_and_decodes_are_read():
    found = read_server("h", PAGE, 0.0)

    assert (found.kind, found.prompt_tokens, found.generated_tokens, found.steps) == ("llama.cpp", 300, 80, 85)


def test_the_page_is_read_when_it_comes_as_a_quoted_string():
    assert read_server("h", json.dumps(PAGE), 0.0).steps == 85


def test_prompt_tokens_from_the_cache_and_drafted_tokens_are_read_where_they_are_counted():
    found = read_server(
        "h",
        PAGE + "llamacpp:prompt_tokens_cached_total 700\nllamacpp:spec_decode_num_draft_tokens_total 60\n",
        0.0,
    )

    assert (found.prompt_tokens, found.cached_tokens, found.drafted_tokens) == (1000, 700, 60)
    assert read_server("h", PAGE, 0.0).cached_tokens is None
