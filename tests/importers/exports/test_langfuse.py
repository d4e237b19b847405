import json

import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls, check_null_counts, read


@pytest.mark.parametrize("case", cases_of("langfuse"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


@pytest.mark.parametrize("case", cases_of("langfuse"), ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)


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
