import pytest


def test_the_parts_sum_to_the_bill(modicum, transcripts):
    rent = modicum("anatomy", transcripts / "rewind.jsonl", "--json").json
    bill = modicum("bill", transcripts / "rewind.jsonl", "--json").json

    assert rent["cost_usd"] == bill["cost_usd"]
    assert sum(part["cost_usd"] for part in rent["parts"]) == pytest.approx(bill["cost_usd"])


def test_calls_without_content_are_a_line_of_their_own(modicum, transcripts):
    modicum("import", transcripts / "rewind.jsonl", "--no-anatomy")
    rent = modicum("anatomy", "--json").json

    assert {part["name"] for part in rent["parts"]} == {"(completions)", "(prompts without anatomy)"}
    assert abs(rent["rest_usd"]) < 1e-9


def test_an_unknown_dimension_is_named(modicum):
    assert "accepted are kind, tool" in modicum("anatomy", "--by", "colour").err


def test_the_dearest_segments_are_listed_and_sum_to_the_bill(modicum, transcripts):
    path = transcripts / "rewind.jsonl"
    found = modicum("anatomy", path, "--by", "segment", "--top", "2", "--json").json

    named = [part for part in found["parts"] if "call_id" in part]
    assert len(named) == 2
    assert named[0]["cost_usd"] >= named[1]["cost_usd"]
    assert sum(part["cost_usd"] for part in found["parts"]) == pytest.approx(found["cost_usd"])
    shown = modicum("anatomy", path, "--by", "segment", "--top", "2").out
    assert "other segments" in shown
    assert f"#{named[0]['position']}" in shown


def test_a_list_of_no_segments_is_refused(modicum):
    assert "--top" in modicum("anatomy", "--by", "segment", "--top", "0").err


def test_parts_are_rows_of_csv(modicum, transcripts):
    assert modicum("anatomy", transcripts, "--csv").out.startswith("name,")
    assert ",task," in modicum("anatomy", transcripts, "--csv", "--by", "segment").out.splitlines()[0]
