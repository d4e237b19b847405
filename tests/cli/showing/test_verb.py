import csv

import pytest


def session_of(modicum, transcripts):
    rows = modicum("bill", transcripts, "--by", "task", "--json").json["rows"]
    return max(rows, key=lambda row: row["calls"])["name"]


def test_a_session_of_logs_is_listed_with_what_stood_between_its_calls(modicum, transcripts):
    session = session_of(modicum, transcripts)
    ran = modicum("show", session, transcripts)
    found = modicum("show", session, transcripts, "--json").json

    assert ran.status == 0
    assert f"session {session}" in ran.out
    assert "came with" in ran.out
    assert "what users wrote" in ran.out
    assert "--text shows what was said" in ran.out
    assert found["calls_in_all"] == len(found["calls"])
    assert found["texts"] == {}


def test_the_ledger_shows_the_same_and_holds_no_text(modicum, transcripts):
    session = session_of(modicum, transcripts)
    modicum("import", transcripts)
    keys = ("what", "name", "calls", "cost_usd", "calls_in_all")
    kept, read = modicum("show", session, "--json").json, modicum("show", session, transcripts, "--json").json

    assert {key: kept[key] for key in keys} == {key: read[key] for key in keys}
    wrong = modicum("show", session, "--text")
    assert wrong.status == 2
    assert "the ledger holds no text" in wrong.err


def test_text_comes_from_the_log_and_cannot_steer_a_terminal(modicum, transcripts):
    path = transcripts / "session.jsonl"
    path.write_text(path.read_text().replace('"text":"', '"text":"\\u001b[31mred\\u202e ', 1))
    session = session_of(modicum, transcripts)
    ran = modicum("show", session, transcripts, "--text", "--whole")

    assert ran.status == 0
    assert "    | " in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


def test_a_call_shows_what_its_prompt_held(modicum, transcripts):
    session = session_of(modicum, transcripts)
    call = modicum("show", session, transcripts, "--json").json["calls"][-1]["call_id"]

    assert "its prompt held" in modicum("show", call, transcripts).out


@pytest.mark.parametrize(("name", "words"), [("zzz", "there is no call, session or finding"), ("B99", "'B99'")])
def test_what_is_not_there_is_one_line(modicum, transcripts, name, words):
    wrong = modicum("show", name, transcripts)

    assert (wrong.status, wrong.out) == (2, "")
    assert words in wrong.err


def test_a_finding_of_the_sample_opens_on_its_calls(modicum):
    ran = modicum("show", "B3", "--found")

    assert "B3 Contexts written again after a pause" in ran.out
    assert "cache lost" in ran.out


def test_csv_has_a_row_for_each_call_and_no_text(modicum, transcripts):
    session = session_of(modicum, transcripts)
    found = modicum("show", session, transcripts, "--json").json["calls"]
    rows = list(csv.DictReader(modicum("show", session, transcripts, "--csv").out.splitlines()))

    assert [int(row["prompt_tokens"]) for row in rows] == [call["prompt_tokens"] for call in found]
    assert "texts" not in rows[0]
    assert "--csv has a row for each call and no text" in modicum("show", session, transcripts, "--csv", "--text").err
