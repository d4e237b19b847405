import openai
import pytest

from modicum.providers.mock.options import MockOptions
from providers.cut_rig import WORDS, cuts_of, streamed, transport, whole_of

REQUEST = {"model": "gpt-5", "stream": True, "input": "x"}
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}}
TOOLS = [{"type": "function", "name": f"find_{n}", "parameters": SCHEMA} for n in "ab"]


def read(stream):
    """The response of the last event, and how many events of which kind there were."""
    client = openai.OpenAI(api_key="none", http_client=transport(stream), max_retries=0)
    events = list(client.responses.create(**REQUEST))
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(numbers)
    return events[-1].response, [event.type for event in events]


@pytest.mark.parametrize("reasoning", [0, 5])
def test_words_that_passed_stand_and_the_response_is_incomplete(reasoning):
    wanted = MockOptions(output_tokens=6, chunks=3, reasoning_tokens=reasoning)
    for stream, passed in list(cuts_of("openai-responses", streamed("openai-responses", REQUEST, wanted))):
        response, kinds = read(stream)
        assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
        deltas = [event.delta for event in openai_events(passed) if event.type == "response.output_text.delta"]
        assert response.output_text == "".join(deltas)
        assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done")


def openai_events(passed):
    client = openai.OpenAI(api_key="none", http_client=transport(passed), max_retries=0)
    return list(client.responses.create(**REQUEST))


def calling():
    wanted = MockOptions(tool_calls=2, fault="over_bound")
    return streamed("openai-responses", {**REQUEST, "tools": TOOLS}, wanted)


def test_calls_of_tools_pass_whole_or_not_at_all():
    whole, _ = read(whole_of("openai-responses", calling()))
    counts = []
    for stream, passed in cuts_of("openai-responses", calling()):
        response, _ = read(stream)
        counts.append(len(response.output))
        assert all(item in whole.output for item in response.output)
        assert passed.count(b"event: response.output_item.added") == passed.count(b"event: response.output_item.done")

    assert (len(whole.output), whole.status) == (2, "completed")
    assert counts == sorted(counts)


def test_a_call_that_its_upstream_broke_off_is_left_out():
    done = b'event: response.output_item.done\ndata: {"type":"response.output_item.done","output_index":1'
    events = [
        event.replace(b'"status":"completed"', b'"status":"incomplete"') if event.startswith(done) else event
        for event in calling()
    ]
    events[-1] = events[-1].replace(b"response.completed", b"response.incomplete")

    response, kinds = read(whole_of("openai-responses", events))

    assert [item.name for item in response.output] == ["find_a"]
    assert kinds.count("response.output_item.added") == 1


def test_words_are_no_calls():
    assert read(whole_of("openai-responses", streamed("openai-responses", REQUEST, WORDS)))[0].status == "completed"
