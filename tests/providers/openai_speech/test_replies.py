from providers.mock_rig import PLAIN, metered, of_openai


def test_openais_client_reads_sound_and_our_meter_its_events():
    with of_openai(PLAIN) as client:
        sound = client.audio.speech.create(model="tts-1", input="hi", voice="alloy").read()
    assert len(sound) == 5 * 480
    events = {"model": "gpt-4o-mini-tts", "input": "hi", "stream_format": "sse"}
    assert metered("openai-speech", events).usage.output_audio == 19
