from datetime import timedelta
from importlib import resources

import msgspec
import pytest

from insights.test_energy_consumption import window
from ledger.samples import EVER, FULL, START, entry, read
from modicum.calls import AuditEvent, BookedShortening, Outcome, Owner
from modicum.cli.energy.window_booking import append_windows
from modicum.gateway.own_tools.tool_use_file import FILE_NAME, read_tool_use
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS, OUTCOMES, SHORTENINGS
from modicum.optimizers.tool_use import ProgramRecord
from modicum.settings import data_folder, state_folder

ASKED = EVER | {
    "by": "model", "tag": "run", "zone": "UTC", "outcome": "tests", "arm": "", "most": 100, "provider": "",
    "team": "", "app": "", "user": "", "key": "", "task": "", "model": "", "tag_value": "", "slot_s": 3600,
    "rule": "", "pair": "task", "pair_tag": "", "counted_in": "", "times": 3,
    "with_tag": "run", "held_out_tag": "server",
}  # fmt: skip
"""Everything that any question wants to know."""


@pytest.fixture
def filled(modicum, transcripts):
    modicum("import", transcripts)


@pytest.mark.usefixtures("filled")
class TestLedger:
    def test_info_says_what_is_in_it(self, modicum):
        (source,) = modicum("ledger", "info", "--json").json["sources"]

        assert (source["source"], source["calls"], source["calls_with_anatomy"]) == ("claude-code", 7, 7)
        assert "claude-code" in modicum("ledger", "info").out

    def test_purge_asks_and_forgets(self, modicum):
        assert (
            modicum("ledger", "purge", "--before", "2026-03-01", "--team", "x", "--yes", "--json").json["purged"] == 0
        )
        assert modicum("ledger", "purge", "--before", "2026-03-01", "--yes", "--json").json["purged"] == 7

    def test_a_copy_holds_the_same_bill_and_can_be_repeated(self, modicum, tmp_path, home):
        here = home / "xdg_data_home" / "modicum" / "ledger.duckdb"
        there = f"chdb://{tmp_path}/cluster"
        first = modicum("ledger", "copy", here, there, "--json").json
        second = modicum("ledger", "copy", here, there, "--json").json

        assert (first["new"], second["new"], second["unchanged"]) == (7, 0, 7)
        assert modicum("bill", "--ledger", there, "--json").json == modicum("bill", "--json").json
        assert modicum("anatomy", "--ledger", there, "--json").json["calls"] == 7

    def test_windows_of_energy_are_told_copied_and_forgotten_with_the_calls(self, modicum, tmp_path):
        append_windows(None, [window(), window(9 * 86_400)])
        there = tmp_path / "there.duckdb"

        (watched,) = modicum("ledger", "info", "--json").json["watched"]
        copied = modicum("ledger", "copy", data_folder() / "ledger.duckdb", there, "--json").json
        of_a_team = modicum("ledger", "purge", "--before", "2026-03-01", "--team", "x", "--yes", "--json").json
        gone = modicum("ledger", "purge", "--before", "2023-11-20", "--yes").out

        assert (watched["windows"], watched["joules"], copied["energy_windows"]) == (2, 2000, 2)
        assert "http://gpu1:8000" in modicum("ledger", "info", "--ledger", there).out
        assert of_a_team["windows_purged"] == 0
        assert "and 1 window of energy" in gone

    def test_retention_forgets_windows_too(self, modicum, transcripts, monkeypatch, tmp_path):
        append_windows(None, [window()])
        (tmp_path / "modicum.toml").write_text("keep_days = 36500\n")
        monkeypatch.setenv("MODICUM_CONFIG", str(tmp_path / "modicum.toml"))
        modicum("import", transcripts)
        assert modicum("ledger", "info", "--json").json["watched"]
        (tmp_path / "modicum.toml").write_text("keep_days = 300\n")
        modicum("import", transcripts)
        assert modicum("ledger", "info", "--json").json["watched"] == []

    def test_a_ledger_is_not_copied_onto_itself(self, modicum):
        assert modicum("ledger", "copy", "a", "a").status == 2


def test_an_empty_ledger_says_how_to_fill_it(modicum):
    assert "no calls yet" in modicum("ledger", "info").out


def test_bill_of_a_ledger_that_holds_only_energy_says_so(modicum):
    append_windows(None, [window()])

    ran = modicum("bill")

    assert ran.status == 2
    assert "no calls in that time, only energy (watched servers drew" in ran.err


@pytest.fixture
def everything(tmp_path):
    """A ledger with all that one can hold."""
    place = tmp_path / "everything.duckdb"
    store = open_store(str(place))
    of_a_team = {"agent_team": "support", "run": "r1", "server": "http://gpu1:8000"}
    teamed = entry("c3", task="t1", branch="fix", agent="a", tags=of_a_team, finished=START + timedelta(seconds=3))
    through_the_gateway = entry("c4", source="gateway", conversation="one", anatomy=FULL.call.anatomy)
    own = entry("c5", source="claude-code", task="s1")
    its_sum = entry("c6", source="claude-headless", task="s1", place="run")
    circle = [
        entry(f"r{number}", task="t1", started=START + timedelta(minutes=number), anatomy=FULL.call.anatomy)
        for number in (1, 2, 3)
    ]
    store.append([FULL, read(0.25, 9, "c2"), teamed, through_the_gateway, own, its_sum, *circle])
    passed = {"outcome_id": "o1", "task": "t1", "name": "tests", "value": 1.0, "time": START + timedelta(hours=1)}
    store.append_records(OUTCOMES, [Outcome(**passed, source="ci")])
    store.append_records(ENERGY_WINDOWS, [window(), window(9 * 86_400)])
    told = {"event_id": "a", "at": START, "by": "ann", "kind": "key", "what": "issued", "subject": "7f"}
    store.append_records(AUDIT_EVENTS, [AuditEvent(**told, owner=Owner("platform"), details={"models": "gpt-*"})])
    (part,) = FULL.call.anatomy.added
    of_a_result = {"entry_id": FULL.call.call_id, "started": FULL.call.started, "digest": part.digest}
    store.append_records(
        SHORTENINGS, [BookedShortening(shortening_id="s", **of_a_result, rules="content.cut", share=0.5)]
    )
    store.close()
    return place


def held(place):
    store = open_store(str(place))
    questions = resources.files("modicum.ledger").joinpath("questions").iterdir()
    entries = [one for batch in store.entries() for one in batch]
    whole = next(one.call.call_id for one in entries if one.call.anatomy and one.call.anatomy.added)
    asked = ASKED | {"entry_id": whole}
    of_one = asked | {"task": "t1"}
    answers = {
        name: store.ask(name, **(of_one if name.startswith("task_") else asked))
        for name in sorted(file.name.removesuffix(".sql") for file in questions)
    }
    records = (
        entries,
        store.records(OUTCOMES),
        store.records(ENERGY_WINDOWS, **EVER),
        store.records(AUDIT_EVENTS),
        store.records(SHORTENINGS),
    )
    store.close()
    return answers, records


def test_a_copy_answers_every_question_as_its_original_does(modicum, everything, tmp_path):
    on_the_way, back = f"chdb://{tmp_path}/cluster", tmp_path / "back.duckdb"
    beside = tmp_path / "beside.duckdb"
    told = [modicum("ledger", "copy", *pair, "--json").json for pair in (
        (everything, beside), (everything, on_the_way), (on_the_way, back)
    )]  # fmt: skip

    answers, records = held(everything)
    assert all(records)
    assert [one["audit_events"] for one in told] == [1, 1, 1]
    assert held(beside) == (answers, records)
    assert held(back) == (answers, records)
    assert {name for name, rows in answers.items() if not rows} == set()


def test_an_owner_is_erased_with_its_keys(modicum, tmp_path):
    place = tmp_path / "some.duckdb"
    store = open_store(str(place))
    store.append([entry("c1", owner=Owner(user="ada")), entry("c2", owner=Owner(user="bob"))])
    store.close()
    learned = [ProgramRecord("00", ("", "", user, ""), 1, 0, {}) for user in ("ada", "bob")]
    state_folder().mkdir(parents=True, exist_ok=True)
    (state_folder() / FILE_NAME).write_bytes(msgspec.json.encode(learned))
    done = modicum("ledger", "erase", "user", "ada", "--yes", "--json", "--ledger", place).json

    assert (done["calls"], done["keys"]) == (1, 0)
    assert read_tool_use(state_folder() / FILE_NAME) == learned[1:]
    assert "0 calls and 0 keys" in modicum("ledger", "erase", "user", "ada", "--yes", "--ledger", place).out
