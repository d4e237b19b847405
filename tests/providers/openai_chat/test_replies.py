from providers.mock_rig import HELLO, PLAIN, of_openai


def test_openais_client_reads_chat():
    with of_openai(PLAIN) as client:
        read = client.chat.completions.create(model="gpt-5", messages=HELLO)
        asked = {"model": "gpt-5", "messages": HELLO, "stream_options": {"include_usage": True}}
        with client.chat.completions.stream(**asked) as stream:
            pieces = [event.delta for event in stream if event.type == "content.delta" and event.delta]
            final = stream.get_final_completion()
    assert len(read.choices[0].message.content.split()) == 12
    assert (read.usage.completion_tokens, read.usage.completion_tokens_details.reasoning_tokens) == (19, 7)
    assert len(pieces) == 5
    assert len(final.choices[0].message.content.split()) == 12
    assert final.usage.prompt_tokens == read.usage.prompt_tokens
    assert final.id != read.id
