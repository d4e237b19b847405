import json

from importers.fixture_pairs import cases_of, read
from modicum.calls import Usage
from modicum.importers.exports.langfuse import recorded, usage_from


def test_sound_has_buckets_of_its_own_and_an_odd_key_is_named():
    details = {
        "input": 10,
        "input_audio_tokens": 90,
        "input_cached_tokens": 5,
        "output": 3,
        "output_audio": 7,
        "total": 115,
    }
    row = {"id": "o", "type": "GENERATION", "model": "gpt-audio", "startTime": "2026-02-03T10:00:00Z"}

    assert usage_from({"usageDetails": details}) == Usage(
        input_uncached=10, cache_read=5, output_visible=3, input_audio=90, output_audio=7
    )
    assert recorded(row | {"usageDetails": details}).call.charges.caveats == ()
    assert recorded(row | {"usageDetails": details | {"input_smell": 2}}).call.charges.caveats == (
        "usageDetails.input_smell",
    )


def test_a_list_of_traces_without_their_observations_is_a_problem(tmp_path):
    trace = next(json.loads(case.read_text()) for case in cases_of("langfuse") if case.name == "trace.json")
    trace["observations"] = ["obs-1", "obs-2"]
    path = tmp_path / "traces.json"
    path.write_text(json.dumps({"data": [trace], "meta": {"page": 1}}))

    calls, problems = read([path])

    assert calls == []
    assert "only the ids of its observations" in problems[0]


def test_traces_one_a_line_are_read(tmp_path):
    trace = next(case for case in cases_of("langfuse") if case.name == "trace.json")
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps(json.loads(trace.read_text())) + "\n")

    assert read([path])[0] == read([trace])[0]
