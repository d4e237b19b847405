import json
import sys
import zipfile
from importlib import import_module

import pytest

from importers.task_results.reading import read, written


def sample(number, value="C", epoch=1, **fields):
    return {
        "id": number,
        "epoch": epoch,
        "scores": {"match": {"value": value, "answer": "x"}, "judge": {"value": 0.25}},
        "model_usage": {
            "m": {
                "input_tokens": 10,
                "output_tokens": 5,
                "total_tokens": 115,
                "input_tokens_cache_read": 100,
                "total_cost": 0.5,
            }
        },
        "total_time": 2.5,
        **fields,
    }


HEADER = {"task": "arith", "model": "openai/gpt-5", "solver": "react"}


def log(*samples):
    return {"version": 2, "status": "success", "eval": HEADER, "samples": list(samples)}


def test_a_sample_is_a_run_and_cached_tokens_are_prompt(tmp_path):
    (found,), problems = read(written(tmp_path / "gpt.json", log(sample(7))))

    assert problems == []
    assert (found.arm, found.task, found.outcome) == ("gpt", "arith/7", 1.0)
    assert (found.prompt_tokens, found.completion_tokens, found.cost_usd, found.seconds) == (110, 5, 0.5, 2.5)


@pytest.mark.parametrize(
    ("value", "outcome"), [("C", 1.0), ("I", 0.0), ("P", 0.5), ("N", 0.0), (True, 1.0), (0.3, 0.3), ("?", None)]
)
def test_grades(tmp_path, value, outcome):
    assert read(written(tmp_path / "g.json", log(sample(1, value))))[0][0].outcome == outcome


def test_a_score_and_a_model_by_name(tmp_path):
    path = written(tmp_path / "g.json", log(sample(1)))

    assert read(path, outcome="judge")[0][0].outcome == 0.25
    assert read(path, by="model")[0][0].arm == "openai/gpt-5"
    assert read(path, by="agent")[0][0].arm == "react"
    assert "has no score 'x'; accepted are match, judge" in read(path, outcome="x")[1][0]


def test_a_sample_without_a_score_has_no_outcome(tmp_path):
    found = read(written(tmp_path / "g.json", log(sample(1, scores=None, model_usage={}))))[0][0]

    assert (found.outcome, found.total_tokens, found.cost_usd) == (None, None, None)


ZSTD = import_module("zipfile" if sys.version_info >= (3, 14) else "backports.zstd.zipfile")


def archive(path, *samples, start="header.json", packing=ZSTD.ZIP_ZSTANDARD):
    with ZSTD.ZipFile(path, "w", packing) as packed:
        packed.writestr(start, json.dumps({"eval": HEADER, "status": "success"}))
        for each in samples:
            packed.writestr(f"samples/{each['id']}_epoch_{each['epoch']}.json", json.dumps(each))
    return path


def test_the_packed_log_says_the_same(tmp_path):
    samples = [sample(1), sample(1, "I", epoch=2), sample(2)]

    packed, problems = read(archive(tmp_path / "gpt.eval", *samples))
    plain, _ = read(written(tmp_path / "gpt.json", log(*samples)))

    assert problems == []
    fields = ("arm", "task", "outcome", "total_tokens", "cost_usd", "seconds")
    assert [[getattr(each, name) for name in fields] for each in packed] == [
        [getattr(each, name) for name in fields] for each in plain
    ]
    assert packed[0].run_id != packed[1].run_id
    assert len(read(archive(tmp_path / "open.eval", sample(1), start="_journal/start.json"))[0]) == 1
    assert len(read(archive(tmp_path / "old.eval", sample(1), packing=zipfile.ZIP_DEFLATED))[0]) == 1


def test_a_log_without_samples_says_so(tmp_path):
    assert "the log has no samples" in read(written(tmp_path / "g.json", log()))[1][0]


def test_zip_files_that_are_no_log_are_named(tmp_path):
    other = tmp_path / "x.zip"
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("a.txt", "b")
    broken = tmp_path / "y.eval"
    broken.write_bytes(archive(tmp_path / "z.eval", sample(1)).read_bytes()[:80])

    assert read(other)[1] == ["a ZIP file that is no log of Inspect"]
    assert read(broken)[1] == ["the log of Inspect cannot be unpacked: BadZipFile"]
