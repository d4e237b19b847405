from modicum.providers.openai_responses.stream import ResponseTail


def test_the_last_event_holds_the_response_and_its_searches():
    tail = ResponseTail()
    tail.feed(b'data: {"type":"response.created","response":{"id":"resp_1","model":"gpt-5"}}\n')
    assert (tail.facts().reply_id, tail.facts().usage) == ("resp_1", None)
    tail.feed(
        b'data: {"type":"response.completed","response":{"status":"completed","output":[{"type":"web_search_call"}],'
        b'"usage":{"input_tokens":5,"output_tokens":2}}}\n'
    )
    facts = tail.facts()
    assert (facts.usage.total_tokens, facts.charges.web_searches, facts.finish_reason) == (7, 1, "completed")
    assert facts.complete
