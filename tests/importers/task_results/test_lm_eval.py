import json

from importers.task_results.reading import read, written

NAME = "samples_gsm8k_2026-01-02T03-04-05.678.jsonl"


def sample(number, value, chosen="strict-match", **fields):
    return json.dumps(
        {
            "doc_id": number,
            "doc": {"question": "?"},
            "resps": [["4"]],
            "filtered_resps": ["4"],
            "filter": chosen,
            "metrics": ["exact_match", "f1"],
            "doc_hash": f"h{number}",
            "exact_match": value,
            "f1": 0.25,
            **fields,
        }
    )


def test_the_folder_is_the_model_and_the_document_the_task(tmp_path):
    one = written(tmp_path / "model-a" / NAME, sample(0, 1.0) + "\n" + sample(1, 0.0))
    other = written(tmp_path / "model-b" / NAME, sample(0, 0.0))

    results, problems = read(one, other)

    assert problems == []
    assert [(each.arm, each.task, each.outcome) for each in results] == [
        ("model-a", "gsm8k/h0", 1.0),
        ("model-a", "gsm8k/h1", 0.0),
        ("model-b", "gsm8k/h0", 0.0),
    ]
    assert results[0].total_tokens is None


def test_one_filter_grades_and_it_is_named(tmp_path):
    path = written(tmp_path / "m" / NAME, sample(0, 0.0) + "\n" + sample(0, 1.0, "flexible-extract"))

    results, problems = read(path)
    others, _ = read(path, outcome="exact_match,flexible-extract")
    by_f1, _ = read(path, outcome="f1")

    assert [each.outcome for each in results] == [0.0]
    assert "1 line of another filter is left out: 'exact_match,strict-match' grades" in problems[0]
    assert [each.outcome for each in others] == [1.0]
    assert [each.outcome for each in by_f1] == [0.25]


def test_a_metric_that_is_not_there_is_named(tmp_path):
    assert read(written(tmp_path / "m" / NAME, sample(0, 1.0)), outcome="bleu") == (
        [],
        ["there is no metric 'bleu'; accepted are exact_match, f1"],
    )
