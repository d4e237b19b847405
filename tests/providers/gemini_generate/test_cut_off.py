import json

from modicum.providers.mock.options import MockOptions
from providers.cut_rig import cuts_of, streamed, whole_of

REQUEST = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
TOOLS = [{"functionDeclarations": [{"name": "find", "parameters": {"type": "object", "properties": {}}}]}]


def read(stream):
    """The official client takes each event as a whole response."""
    return [json.loads(event.removeprefix(b"data: ")) for event in stream.split(b"\r\n\r\n") if event]


def test_words_that_passed_stand_and_the_candidate_ends_as_too_long():
    for stream, passed in cuts_of("gemini-generate", streamed("gemini-generate", REQUEST)):
        *before, last = read(stream)
        assert before == read(passed)
        assert [one["finishReason"] for one in last["candidates"]] == ["MAX_TOKENS"]
        assert last["responseId"] == before[0]["responseId"]
        assert "usageMetadata" not in last  # the provider has told none


def test_calls_of_functions_are_whole_events():
    events = streamed("gemini-generate", {**REQUEST, "tools": TOOLS}, MockOptions(tool_calls=1))

    assert whole_of("gemini-generate", events) == b"".join(events)
    assert "functionCall" in read(events[-1])[0]["candidates"][0]["content"]["parts"][0]
