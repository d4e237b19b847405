from providers.mock_rig import PLAIN, of_openai


def test_openais_client_reads_transcriptions_and_streams_of_them():
    with of_openai(PLAIN) as client:
        whole = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=b"\0\0")
        seconds = client.audio.transcriptions.create(model="whisper-1", file=b"\0\0")
        events = list(client.audio.transcriptions.create(model="gpt-4o-transcribe", file=b"\0", stream=True))
    assert len(whole.text.split()) == 12
    assert (whole.usage.type, seconds.usage.type) == ("tokens", "duration")
    assert events[-1].type == "transcript.text.done"
    assert events[-1].usage.output_tokens == 19
