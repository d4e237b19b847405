import json
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


def recorded(day, minute):
    rules = "\n".join(f"Rule {number}: be brief and name your sources, always." for number in range(200))
    system = {"role": "system", "content": f"Current date: 2026-11-{day}\n{rules}"}
    body = {"model": "gpt-4.1", "messages": [system, {"role": "user", "content": f"q{minute}"}]}
    usage = {"prompt_tokens": 3000, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}}
    reply = {"object": "chat.completion", "choices": [], "usage": usage}
    return json.dumps({"timestamp": f"2026-11-21T00:0{minute}:00Z", "request": body, "response": reply})


def test_rules_that_read_whole_requests_are_tried_on_recorded_ones_and_nothing_is_kept(modicum, home, tmp_path):
    path = tmp_path / "recorded.jsonl"
    path.write_text(f"{recorded(20, 1)}\n{recorded(21, 2)}\n")
    before = sorted(home.rglob("*"))

    found = modicum("optimize", "explain", "--requests", path, "--json").json
    said = " ".join(modicum("optimize", "explain", "--requests", path).out.split())

    by_name = {row["rule"]: row for row in found["rules"]}
    assert (by_name["cache.volatile_facts"]["calls"], found["problems"]) == (2, [])
    assert by_name["cache.volatile_facts"]["expected_usd"] > 0
    assert "more would be read from a cache" in said
    assert "in the 2 requests whose reply has a count; the provider counted 0" in said
    kept = [one for one in home.rglob("*") if one.is_file() and one not in before]
    assert not [one for one in kept if b"name your sources" in one.read_bytes()]


@pytest.mark.parametrize(
    ("words", "problem"),
    [(["--log", "."], "--requests stands alone"), (["--since", "2030-01-01"], "there is no request in these files")],
)
def test_recorded_requests_stand_alone_and_none_is_said(modicum, home, tmp_path, words, problem):
    path = tmp_path / "recorded.jsonl"
    path.write_text(recorded(20, 1))

    said = modicum("optimize", "explain", "--requests", path, *words)
    assert (said.status, said.out) == (2, "")
    assert problem in said.err
