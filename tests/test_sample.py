"""The sample is what a newcomer sees first: all of the report, and no figure that is only a bound."""

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "src/modicum/sample"
MOST_PACKED_BYTES = 300_000
WASTE = {
    *("failed_calls", "duplicate_requests", "uncached_prefix", "prefix_break", "ttl_expiry", "unread_writes"),
    *("duplicate_context", "reread_files", "carried_results", "unused_tools", "fixed_overhead", "loops"),
    *("failed_tools", "cost_of_failure", "oversized_models", "excess_output", "wrong_lane"),
}


@pytest.fixture
def found(modicum):
    return modicum("audit", "--found", "--json").json


def contents(folder):
    """Texts by name: the bytes of a packed file depend on the library that packs it."""
    read = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: gzip.decompress(data) if name.suffix == ".gz" else data for name, data in read.items()}


def test_the_sample_is_what_its_generator_writes(tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts/make_sample", tmp_path], check=True)

    assert contents(tmp_path) == contents(SAMPLE)


def test_it_is_small(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in sorted(SAMPLE.rglob("*")):
            wheel.write(path, path.relative_to(SAMPLE))

    assert len(packed.getvalue()) < MOST_PACKED_BYTES


def test_the_replay_comes_to_the_bill_of_a_cache_that_it_does_not_know(found):
    fidelity = found["fidelity"]

    assert abs(fidelity["total_error"]) < 0.02
    assert fidelity["median_task_error"] < 0.03
    assert fidelity["unexplained_share"] < 0.02
    assert not found["is_bound"]
    assert not any(one["is_bound"] for one in found["fidelity_by_source"])


def test_every_kind_of_waste_is_in_it(found):
    rows = {row["name"]: row for row in found["findings"]}

    assert {name for name in WASTE if rows[name]["calls"]} == WASTE
    assert [name for name, row in rows.items() if row["lacks"]] == ["idle_commitments"]  # no log holds these
    assert rows["prefix_break"]["details"]["no_cause_on_record_calls"] == 0


def test_every_section_has_something_to_show(found):
    kinds = {part["name"] for part in found["rent"]["parts"]}

    assert {"prefix", "system", "tool_schema", "tool_result", "summary", "(completions)", "(web searches)"} <= kinds
    assert found["problems"] == []
    assert len(found["first_steps"]) == 3
    assert 0 < found["joint_saving_share"] < 0.5
    assert len({call["lost"] for call in found["cache_timeline"]["calls"]}) > 2
    assert sum(day["tasks_with_outcome"] for day in found["days"]) > 20
    assert 0 < found["calls_unpriced"] < 20
    assert 0 < found["calls_without_anatomy"] < 40
    assert found["cap_curve"][-1]["results"] > 0


def test_what_should_not_have_been_sent_is_seen(modicum):
    modicum("import", SAMPLE / "logs")

    seen = {kind for row in modicum("exposure", "--json").json["rows"] for kind in row["seen"]}

    assert seen == {"aws_key", "email", "iban", "payment_card", "phone"}


def test_its_outcomes_are_those_of_its_tasks(modicum):
    modicum("import", SAMPLE / "logs")
    modicum("outcome", "import", SAMPLE / "outcomes.csv")

    told = modicum("yield", "--outcome", "tests_passed", "--json").json

    assert (told["tasks"], told["tasks_failed"], told["outcomes"]) == (12, 2, 10)
