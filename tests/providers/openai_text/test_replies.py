from modicum.providers.mock.options import MockOptions
from providers.mock_rig import PLAIN, metered, of_openai


def test_openais_client_reads_completions_and_streams_of_them():
    with of_openai(PLAIN) as client:
        whole = client.completions.create(model="m", prompt="hello", max_tokens=50)
        chunks = list(client.completions.create(model="m", prompt="hello", max_tokens=50, stream=True))
    assert len(whole.choices[0].text.split()) == 12
    assert whole.usage.completion_tokens == 12 + 7
    assert "".join(chunk.choices[0].text for chunk in chunks).split()
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_stream_that_is_asked_tells_its_usage():
    request = {"model": "m", "prompt": "x", "stream": True, "stream_options": {"include_usage": True}, "max_tokens": 9}
    assert metered("openai-text", request).usage.completion_tokens == 9
    assert metered("openai-text", {"model": "m", "prompt": "x"}, MockOptions(fault="no_usage")).usage is None
