from pathlib import Path

import pytest


def test_rules_are_listed_with_what_is_on(modicum, home):
    found = modicum("optimize", "list", "--json").json

    assert found["enabled"] is True
    assert [row["rule"] for row in found["rules"]][-1] == "keep_warm"
    assert found["rules"][-1]["on"] is False
    Path("modicum.toml").write_text("[optimize]\nkeep_warm = true\n")
    found = modicum("optimize", "list", "--json").json
    assert found["rules"][-1]["on"] is True


def test_logs_are_explained_rule_by_rule(modicum, transcripts):
    said = modicum("optimize", "explain", "--log", transcripts, "--json")

    assert said.status == 0
    row, cache = said.json["rules"][-2:]
    assert (row["rule"], cache["rule"]) == ("keep_warm", "semantic_cache")
    assert (
        row["calls"] + sum(calls for reason, calls in row["why_not"].items() if "choose" not in reason) >= row["calls"]
    )
    text = modicum("optimize", "explain", "--log", transcripts)
    assert "would act" in text.out
    assert "keep_warm:" in text.out
    assert "[[semantic_cache]]" in text.out
    Path("modicum.toml").write_text("[[semantic_cache]]\napp = 'faq'\n")
    chosen = modicum("optimize", "explain", "--log", transcripts, "--json").json["rules"][-1]
    assert (cache["calls_on"], chosen["calls_on"]) == (0, 0)
    assert len(cache["why_not"]) == len(chosen["why_not"]) + 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nothing-like-it"], "no call of this ledger has an id that begins with 'nothing-like-it'"),
    ],
)
def test_an_unknown_call_is_one_line(modicum, transcripts, words, problem):
    said = modicum("optimize", "explain", *words, "--log", transcripts)

    assert said.status == 2
    assert problem in said.err


def test_logs_without_calls_are_no_table_of_zeros(modicum, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.touch()

    said = modicum("optimize", "explain", "--log", empty)
    assert (said.status, said.out) == (2, "")
    assert "empty.jsonl: the file is empty" in said.err
    assert "there is no call in these logs" in said.err


def test_rules_that_read_text_are_shown_where_they_can_be_replayed(modicum, transcripts):
    said = " ".join(modicum("optimize", "explain", "--log", transcripts).out.split())

    assert "calls: it reads the text, and a ledger keeps none" in said
    assert "'modicum audit [PATH] --what-if rules=NAME' replays one" in said


def test_a_missing_file_is_one_line(modicum, tmp_path):
    said = modicum("optimize", "explain", "--log", tmp_path / "nowhere")

    assert said.status == 2
    assert "there is no file" in said.err


def test_logs_in_the_place_of_a_call_are_told_apart(modicum, tmp_path):
    said, long = modicum("optimize", "explain", tmp_path), modicum("optimize", "explain", "x" * 5000)

    assert said.status == long.status == 2
    assert f"--log {tmp_path}" in said.err
    assert "is a file" not in long.err
