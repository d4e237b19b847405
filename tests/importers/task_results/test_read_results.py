import json
from copy import deepcopy

import pytest

from importers.task_results.reading import read, written
from modicum.calls import UserError
from modicum.cli.terminal.output import json_text
from modicum.experiments.comparison import compare
from modicum.experiments.comparison_pairs import ComparisonRules


def test_files_of_several_sources_are_read_together(tmp_path):
    one = written(tmp_path / "a.json", {"resolved_ids": ["t-1"], "submitted_ids": ["t-1", "t-2"]})
    other = written(tmp_path / "b.csv", "task,success,cost\nt-1,0,1\nt-2,1,2\n")

    results, problems = read(one, other)

    assert problems == []
    assert [(each.arm, each.task, each.outcome) for each in results] == [
        ("a", "t-1", 1.0),
        ("a", "t-2", 0.0),
        ("b", "t-1", 0.0),
        ("b", "t-2", 1.0),
    ]


def test_two_files_of_one_name_are_two_arms(tmp_path):
    paths = [written(tmp_path / folder / "r.csv", "task,success\n1,1\n") for folder in ("x", "y")]

    assert [each.arm for each in read(*paths)[0]] == ["x/r", "y/r"]


def test_tabs_divide_where_there_are_more_of_them(tmp_path):
    assert read(written(tmp_path / "t.tsv", "task\tsuccess\n1\t1\n"))[0][0].outcome == 1.0


@pytest.mark.parametrize(
    "text", ["", "  \n", "\x00\x00", "{", "[1, 2]", "{}", "[]", '"x"', "null", "[[[[", "PK\x03\x04"]
)
def test_files_that_hold_no_results_are_problems_and_no_faults(tmp_path, text):
    results, problems = read(written(tmp_path / "t.json", text))

    assert results == []
    assert problems


DOCUMENTS = {
    "tau2": {
        "info": {"agent_info": {"llm": "x"}, "environment_info": {"domain_name": "d"}},
        "simulations": [
            {
                "task_id": "1",
                "reward_info": {"reward": 1.0},
                "agent_cost": 0.1,
                "duration": 1,
                "messages": [
                    {
                        "role": "assistant",
                        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
                        "raw_data": {"usage": {"prompt_tokens_details": {"cached_tokens": 3}}},
                    }
                ],
            }
        ],
    },
    "inspect": {
        "eval": {"model": "m", "task": "t", "solver": "s"},
        "status": "success",
        "samples": [
            {
                "id": 1,
                "epoch": 1,
                "scores": {"a": {"value": "C"}},
                "model_usage": {"m": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "total_cost": 0.1}},
                "total_time": 1,
            }
        ],
    },
    "promptfoo": {
        "results": {
            "results": [
                {
                    "provider": {"id": "p"},
                    "prompt": {"raw": "x"},
                    "vars": {"a": 1},
                    "testCase": {"description": "d"},
                    "response": {"tokenUsage": {"prompt": 1, "completion": 1}},
                    "success": True,
                    "cost": 0.1,
                    "latencyMs": 1,
                }
            ]
        }
    },
    "swe-bench": {"resolved_ids": ["a-1"], "submitted_ids": ["a-1", "a-2"]},
    "swe-bench details": {"a-1": {"resolved": True, "cost": 0.1}},
    "lm-eval": {"doc_id": 1, "resps": [], "metrics": ["acc"], "acc": 1.0, "filter": "none", "doc_hash": "h"},
    "table": [
        {"task": 1, "success": 1, "cost": 1.0, "model": "a"},
        {"task": 1, "success": 0, "cost": 1.0, "model": "b"},
    ],
}
ODD = (None, True, -1, 1e308, "x", "", [], {}, [[]], {"a": 1}, float("nan"), 10**30, "9" * 50, "\ud800", 1e-320)


def places(document, before=()):
    """Every place in a document."""
    for key in document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ():
        yield (*before, key)
        yield from places(document[key], (*before, key))


@pytest.mark.parametrize("source", DOCUMENTS)
def test_odd_values_in_any_place_are_a_problem_or_unknown_and_never_a_fault(tmp_path, source):
    path, count = tmp_path / "t.json", 0
    for place in list(places(DOCUMENTS[source])):
        for odd in ODD:
            changed = deepcopy(DOCUMENTS[source])
            parent = changed
            for key in place[:-1]:
                parent = parent[key]
            parent[place[-1]] = odd
            path.write_text(json.dumps(changed))
            results, _ = read(path, by="model" if place[-1] in {"model", "llm", "id"} else "")
            count += 1
            try:
                comparison = compare(results, ComparisonRules())
            except UserError:
                continue
            assert "NaN" not in json_text(comparison)

    assert count >= 45
