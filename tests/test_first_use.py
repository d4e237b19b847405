"""The first ten minutes of five readers, each with the commands that the documentation names, over the sample."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

import modicum as package

SAMPLE = Path(package.__file__).parent / "sample"


@pytest.fixture
def typed(modicum, record_property):
    """Runs commands as they are typed; one that fails ends the test, and how long all took is in the report."""
    started = perf_counter()

    def run(line):
        ran = modicum(*line.split())
        assert ran.status == 0, f"modicum {line}: {ran.err}"
        return ran

    yield run
    record_property("seconds", round(perf_counter() - started, 1))


def test_a_developer_sees_what_was_spent_and_what_to_set(typed):
    first = typed("")
    close = typed("show B3 --found")
    audit = typed("audit --found --json").json

    assert "spent: about $8.09" in first.out
    assert "~/.claude/settings.json" in first.out
    assert "cache lost" in close.out
    assert [step["paste"] for step in audit["steps"][:3] if not step["paste"]] == []


def test_a_platform_engineer_sets_up_and_is_told_what_is_missing(typed):
    typed("init")
    key = typed("key create web --json").json
    checks = {check["what"]: check for check in typed("doctor --json").json}

    assert key
    assert checks["gateway"]["is_off"]
    assert "'modicum up' starts it" in checks["gateway"]["said"]
    assert checks["settings"]["said"].endswith("modicum.toml")


def test_finance_gets_the_same_sum_as_a_table_and_as_a_spreadsheet(typed):
    rows = list(csv.DictReader(io.StringIO(typed("bill --found --by project --csv").out)))
    bill = typed("bill --found --by project --json").json
    months = typed("bill --found --by month --json").json

    assert sum(float(row["cost_usd"] or 0) for row in rows) == pytest.approx(bill["cost_usd"])
    assert months["cost_usd"] == bill["cost_usd"]
    assert bill["basis"] == "estimated"


def test_a_researcher_gets_outcomes_per_dollar_with_an_interval(typed):
    typed(f"import {SAMPLE / 'logs'}")
    typed(f"outcome import {SAMPLE / 'outcomes.csv'}")
    names = [row["name"] for row in typed("outcome list --json").json["outcomes"]]
    found = typed(f"yield --outcome {names[0]} --by agent --json").json

    assert names
    assert found["rows"]


def test_an_agent_engineer_sees_what_prompts_hold_and_which_rules_would_act(typed):
    anatomy = typed("anatomy --found --by tool --json").json
    seen = typed("exposure --found --json").json
    rules = typed("optimize list --json").json["rules"]

    assert sum(part["cost_usd"] or 0 for part in anatomy["parts"]) > 1
    assert seen["rows"]
    assert {rule["rule"] for rule in rules} >= {"content.cut", "content.repeats"}


ODD_NAMES = ("p" * 300, "\u05e9\u05dc\u05d5\u05dd \u202e", "\U0001f680 \U0001f469\u200d\U0001f4bb", "a\x1b[31mb\rc")
LOG_VERBS = (
    *("bill --by project", "anatomy --by project", "exposure --by project", "blocks", "advise", "live --once"),
    "audit",
)


@pytest.fixture
def odd_logs(transcripts, tmp_path):
    """The same sessions in four projects whose names are none that anybody expects."""
    folder = tmp_path / "odd"
    for number, name in enumerate(ODD_NAMES):
        (folder / str(number)).mkdir(parents=True)
        for path in transcripts.iterdir():
            text = path.read_text().replace('"/home/ada/shop"', json.dumps(name)).replace("msg_", f"msg_{number}")
            (folder / str(number) / path.name).write_text(text)
    return folder


@pytest.mark.parametrize("line", LOG_VERBS)
def test_odd_names_stay_on_their_line(modicum, odd_logs, monkeypatch, line):
    monkeypatch.setenv("COLUMNS", "20")
    for form in ("", "--csv"):
        ran = modicum(*line.split(), odd_logs, *form.split())
        assert ran.status == 0, ran.err
        assert set("\x1b\r\u202e") & set(ran.out.replace("\r\n", "\n") + ran.err) == set()


def test_odd_names_steer_no_page(modicum, odd_logs):
    for verb in (["bill", "--by", "project"], ["audit"]):
        page = modicum(*verb, odd_logs, "--html", "-").out
        assert "<main>" in page
        assert "p" * 300 in page
        assert set("\x1b\r\u202e") & set(page) == set()


def test_one_currency_at_once_and_no_option_is_passed_over(modicum, transcripts):
    refused = modicum("bill", transcripts, "--currency", "EUR=0.9", "--currency", "GBP=0.8")

    assert (refused.status, "--currency is given 2 times" in refused.err) == (2, True)
    assert modicum("bill", transcripts, "--by", "model", "--by", "day").status == 0


def test_days_begin_where_the_clock_stands(modicum, transcripts, monkeypatch):
    days = {}
    for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        found = modicum("bill", transcripts, "--by", "day", "--json").json
        days[zone] = [row["name"] for row in found["rows"]]
        assert found["calls"] == 7
    monkeypatch.setenv("TZ", "Nowhere/At_All")

    assert days["UTC"] != days["Pacific/Kiritimati"]
    assert "was not found" in modicum("bill", transcripts, "--by", "day").out


def test_a_reader_that_goes_away_is_no_failure(transcripts):
    command = [sys.executable, "-m", "modicum", "bill", str(transcripts), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()  # before a word is printed
        err = process.stderr.read()

    assert (process.returncode, "Traceback" in err, "Broken" in err) == (0, False, False)


def test_a_month_without_calls_is_an_empty_answer_and_logs_without_calls_are_an_error(modicum, transcripts, tmp_path):
    empty, nothing, file = tmp_path / "empty", tmp_path / "nothing", tmp_path / "empty.jsonl"
    empty.mkdir()
    nothing.mkdir()
    (nothing / "notes.txt").write_text("no log")
    file.touch()

    assert modicum("bill", transcripts, "--since", "2030-01-01").status == 0
    for verb in ("bill", "audit", "anatomy", "exposure", "import"):
        wrong = [modicum(verb, path) for path in (empty, nothing, file)]
        assert [ran.status for ran in wrong] == [2, 2, 2]
        assert [
            words in ran.err for ran, words in zip(wrong, ("is empty", "holds no logs", "is empty"), strict=True)
        ] == [True] * 3
