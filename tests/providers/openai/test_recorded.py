import pytest

from modicum.providers.openai.recorded import finish_reason_from, joined, provider_of


@pytest.mark.parametrize(
    ("url", "model", "response", "provider"),
    [
        ("https://api.openai.com/v1/responses", "gpt-5.2", {}, "openai"),
        ("https://shop.openai.azure.com/openai/deployments/x", "gpt-5.2", {}, "azure"),
        ("https://notopenai.com/v1", "llama-4", {}, ""),
        ("", "gpt-5.2", {"prompt_filter_results": []}, "azure"),
        ("", "llama-4", {"x_groq": {}}, "groq"),
        ("", "gpt-oss-120b", {}, ""),
        ("http://[", "o3", {}, "openai"),
    ],
)
def test_who_served_a_call(url, model, response, provider):
    assert provider_of(url, model, response) == provider


def test_a_stream_is_the_body_that_it_would_have_been():
    body = joined(
        [
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "gpt-5.2", "choices": []},
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"finish_reason": "length"}]},
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": {"prompt_tokens": 3}},
        ]
    )

    assert (body["id"], body["created"], body["usage"]) == ("chatcmpl-1", 5, {"prompt_tokens": 3})
    assert finish_reason_from(body) == "length"
