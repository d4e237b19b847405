from modicum.calls import Usage
from modicum.providers.gemini_generate.stream import GeminiTail


def test_usage_grows_and_the_last_figures_stand():
    tail = GeminiTail()
    tail.feed(b'data: {"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1}}\n')
    assert (tail.facts().usage, tail.facts().complete) == (Usage(5, output_visible=1), False)
    tail.feed(b'data: {"usageMetadata":{"candidatesTokenCount":8},"candidates":[{"finishReason":"STOP"}]}\n')
    assert (tail.facts().usage, tail.facts().complete) == (Usage(5, output_visible=8), True)
