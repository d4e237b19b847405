import pytest

from modicum.calls import Usage
from modicum.providers.anthropic_messages.usage import usage_from
from modicum.providers.body_parsing import error_kind_of, identifier, parse_usage, session_from_cache_key
from modicum.providers.openai.usage import MAIN_COUNTS
from modicum.providers.openai.usage import usage_from as openai_usage


def test_zeros_and_nonsense_are_not_a_count():
    assert parse_usage(usage_from, {"input_tokens": 3}) == (Usage(input_uncached=3), "")
    assert parse_usage(usage_from, {"input_tokens": 0, "output_tokens": 0})[0] is None
    assert parse_usage(usage_from, {"input_tokens": "3"})[0] is None
    assert parse_usage(usage_from, None) == (None, "")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"type": "overloaded_error", "message": "m"}}, "overloaded_error"),
        ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, "RESOURCE_EXHAUSTED"),
        ({"error": {"code": 404}}, "404"),
        ({"error": "model not found"}, "error"),
        ({"object": "error", "type": "BadRequestError", "message": "m"}, "BadRequestError"),
        ({"detail": "Unauthorized"}, "error"),
        ({"id": "chatcmpl-1", "error": None}, ""),
    ],
)
def test_hosts_word_their_errors_in_many_ways(body, kind):
    assert error_kind_of(body) == kind


def test_a_cache_key_names_a_conversation_only_if_it_is_unique():
    assert session_from_cache_key("0199a213-81c0-7800-8aa1-bbab2a035a53") == "0199a213-81c0-7800-8aa1-bbab2a035a53"
    assert session_from_cache_key("support-bot-v3") == session_from_cache_key(None) == ""


def test_a_word_from_outside_is_short_and_on_one_line():
    assert identifier("gpt-5") == "gpt-5"
    assert identifier("x\r\nSet-Cookie: a") == ""
    assert len(identifier("x" * 1000)) == 200
    assert identifier(None) == identifier(["x"]) == ""


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": None, "completion_tokens": 7, "total_tokens": 7},
        {"prompt_tokens": 7, "completion_tokens": None},
        {"completion_tokens": 7},
        {"input_tokens": None, "output_tokens": 7},
    ],
)
def test_a_usage_whose_main_counts_are_null_has_not_counted(usage):
    assert parse_usage(openai_usage, usage, MAIN_COUNTS) == (None, "the usage does not count the prompt and the reply")


def test_an_embedding_has_no_output_to_count():
    usage, problem = parse_usage(openai_usage, {"prompt_tokens": 7, "total_tokens": 7}, MAIN_COUNTS)

    assert (usage.input_uncached, problem) == (7, "")
