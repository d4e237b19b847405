from providers.mock_rig import PLAIN, of_openai


def test_openais_client_reads_responses():
    with of_openai(PLAIN) as client:
        read = client.responses.create(model="gpt-5", input="hello")
        with client.responses.stream(model="gpt-5", input="hello") as stream:
            pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
    assert [item.type for item in read.output] == ["reasoning", "message"]
    assert len(read.output_text.split()) == len(final.output_text.split()) == 12
    assert "".join(pieces) == final.output_text
    assert final.usage.output_tokens_details.reasoning_tokens == 7
