"""Savings beside the truth of a provider simulated from its documentation (`scripts/bench audit --truth`)."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import cache_histories
from cache_histories import History

WITHIN = 0.02
HISTORIES = cache_histories.histories()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_a_saving_is_within_two_percent_of_the_truth_or_a_bound_that_holds_it(
    history: History, modicum, tmp_path
) -> None:
    ended = modicum("audit", history.write(tmp_path), "--json", "--only", "failed_calls", "--what-if", history.what_if)

    document = json.loads(ended.out)
    answer, truth = document["what_if"][0], history.truth()
    if answer["why_bound"]:
        assert answer["saving_share_low"] - WITHIN <= truth <= answer["saving_share_high"] + WITHIN
        assert answer["finding_class"] == "upper_bound"
    else:
        assert answer["saving_share"] == pytest.approx(truth, abs=WITHIN)
    assert abs(truth) < 0.005 or answer["saving_share"] * truth > 0


@pytest.mark.parametrize("source", ["otlp", "litellm", "langfuse", "anthropic", "modicum"])
@pytest.mark.parametrize("error", [0.0, 0.05])
def test_logs_without_system_prompt_are_replayed_within_two_percent(source, error, modicum, tmp_path):
    history = next(one for one in HISTORIES if one.name == "unlogged_and_miscounted")
    path = cache_histories.replace(history, count_error=error).write(tmp_path)
    rows = [json.loads(line) | {"source": source} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    document = json.loads(modicum("audit", path, "--json", "--only", "failed_calls").out)

    (by_source,) = document["fidelity_by_source"]
    assert by_source["source"] == source
    assert abs(by_source["fidelity"]["total_error"]) <= WITHIN
    assert not by_source["is_bound"]
