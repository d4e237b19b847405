from modicum.calls import Usage
from modicum.importers.recorded.openai_usage import usage_from

NEW = {"input_tokens": 1000, "input_cached_tokens": 300, "output_tokens": 90, "output_audio_tokens": 40}


def test_sound_and_pictures_have_buckets_of_their_own_with_or_without_what_was_cached():
    older = usage_from(NEW | {"input_audio_tokens": 200})
    newer = usage_from(NEW | {"input_audio_tokens": 200, "input_cached_audio_tokens": 100, "input_image_tokens": 50})

    assert older == Usage(input_uncached=500, cache_read=300, output_visible=50, input_audio=200, output_audio=40)
    assert newer == Usage(
        input_uncached=450,
        cache_read=200,
        output_visible=50,
        input_audio=200,
        input_image=50,
        cache_read_audio=100,
        output_audio=40,
    )


def test_what_is_written_for_half_a_day_is_told_apart():
    row = {"input_tokens": 1000, "input_cache_write_tokens": 100, "input_cache_write_12h_tokens": 300}

    assert usage_from(row) == Usage(input_uncached=600, cache_write_5m=100, cache_write_12h=300)
