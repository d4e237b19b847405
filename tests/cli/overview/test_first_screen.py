import shutil

from modicum.calls import Basis
from modicum.cli.inputs import log_sets
from modicum.cli.overview import first_screen
from modicum.cli.overview.first_screen import cost_words


def test_without_a_verb_the_bill_comes_first_then_what_to_do_then_three_commands(modicum):
    ran = modicum()

    assert ran.status == 0
    assert "this is the sample" in ran.err
    places = [
        ran.out.index(words) for words in ("spent: about $8.09", "on what:", "to do first:", "modicum audit --found")
    ]
    assert places == sorted(places)
    assert len(ran.out.splitlines()) <= 30


def test_it_shows_the_bill_and_the_first_steps_of_the_audit(modicum, home, transcripts):
    shutil.copytree(transcripts, home / ".claude" / "projects" / "shop")
    ran, bill, audit = modicum(), modicum("bill", "--found", "--json").json, modicum("audit", "--found", "--json").json

    assert f"in {bill['calls']:,} calls" in ran.out
    assert "at least $" in ran.out
    own = [step["title"] for step in audit["steps"] if step["who"] == "you"]
    assert own
    assert [title for title in own[:3] if title not in ran.out] == []


def test_words_of_a_cost_say_how_it_is_known(bill_line):
    assert cost_words(bill_line("876.744", Basis.LOWER_BOUND)) == "at least $876.74"
    assert cost_words(bill_line("8.09", Basis.ESTIMATED)) == "about $8.09"
    assert cost_words(bill_line("0.37", Basis.EXACT)) == "$0.37"
    assert cost_words(bill_line(None, Basis.UNKNOWN)) == "no price is known"


def test_the_second_look_reads_no_log_and_shows_the_same(modicum, home, transcripts, monkeypatch):
    monkeypatch.setattr(log_sets, "WORTH_SAVING_BYTES", 1)
    shutil.copytree(transcripts, home / ".claude" / "projects" / "shop")
    (home / ".claude" / "projects" / "shop" / "odd.jsonl").write_text("no log\n")
    first = modicum()
    monkeypatch.setattr(first_screen, "read_logs", None)  # would end with an error of ours
    monkeypatch.setattr(log_sets, "read_logs", None)

    second = modicum()

    assert (second.status, second.out, second.err) == (first.status, first.out, first.err)
    assert "odd.jsonl" in second.err
