import json

import pytest

from modicum.calls import Basis, Usage
from modicum.importers.format import Reading
from modicum.importers.recorded.openai_usage import read, usage_from

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


HEADER = "start_time,end_time,num_model_requests,model,input_tokens,output_tokens\n"


@pytest.mark.parametrize(
    ("cells", "bases", "usage"),
    [
        ("10.0,gpt-5,,90.0", (Basis.UNKNOWN, Basis.UNKNOWN), Usage()),
        ("10.0,gpt-5,,", (Basis.UNKNOWN, Basis.UNKNOWN), Usage()),
        ("10.0,gpt-5,100.0, ", (Basis.EXACT, Basis.UNKNOWN), Usage(input_uncached=100)),
        ("10.0,gpt-5,100.0,0.0", (Basis.EXACT, Basis.EXACT), Usage(input_uncached=100)),
    ],
)
def test_an_empty_cell_of_a_bucket_with_calls_is_unknown(tmp_path, cells, bases, usage):
    path = tmp_path / "usage.csv"
    path.write_text(f"{HEADER}1769904000,1769990400,{cells}\n1769990400,1770076800,,,,\n")

    (call,) = read(path, Reading())

    assert ((call.usage_basis, call.output_basis), call.usage, call.calls_count) == (bases, usage, 10)


def test_embeddings_have_no_output_to_count(tmp_path):
    row = {"object": "organization.usage.embeddings.result", "input_tokens": 7, "num_model_requests": 1}
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"start_time": 1769904000, "end_time": 1769990400, "results": [row]}))

    (call,) = read(path, Reading())

    assert (call.usage_basis, call.output_basis) == (Basis.EXACT, Basis.EXACT)
