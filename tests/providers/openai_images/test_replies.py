from providers.mock_rig import PLAIN, metered, of_openai


def test_openais_client_reads_pictures_and_streams_of_them():
    with of_openai(PLAIN) as client:
        whole = client.images.generate(model="gpt-image-1", prompt="a tide", n=2)
        edited = client.images.edit(model="gpt-image-1", prompt="a tide", image=b"\x89PNG")
        events = list(client.images.generate(model="gpt-image-1", prompt="a tide", stream=True))
    assert (len(whole.data), whole.usage.output_tokens) == (2, 544)
    assert len(edited.data) == 1
    assert [event.type for event in events] == ["image_generation.partial_image", "image_generation.completed"]
    assert metered("openai-images", {"model": "m", "prompt": "x", "n": 3}).usage.output_image == 3 * 272
