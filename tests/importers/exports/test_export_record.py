import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Basis, Call, Problem, Usage
from modicum.importers import FORMATS, read_calls
from modicum.importers.exports.export_record import Recorded, export_records, fields_in, without_sums
from modicum.importers.format import Reading
from modicum.importers.read_logs import recognise

FIXTURES = Path(__file__).parent.parent / "fixtures"
PLATFORMS = ("litellm", "langfuse", "helicone", "langsmith", "otlp", "modicum")
JSON_CASES = sorted(
    path for name in PLATFORMS for path in (FIXTURES / name).glob("*.json*") if not path.name.endswith(".calls.json")
)


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def split(found):
    found = list(found)
    return [one for one in found if not isinstance(one, Problem)], [str(p) for p in found if isinstance(p, Problem)]


def test_one_export_in_every_shape(tmp_path):
    rows = [{"n": "1", "x": "a"}, {"n": "2", "x": "b"}]
    shapes = {
        "lines.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "list.json": json.dumps(rows, indent=1),
        "page.json": json.dumps({"data": rows, "meta": {}}),
        "table.csv": "n,x\r\n1,a\r\n2,b\r\n",
        "marked.csv": "\ufeffn,x\n1,a\n2,b",
    }

    for name, text in shapes.items():
        found, problems = split(export_records(write(tmp_path, name, text)))
        assert ([row for _, row in found], problems) == (rows, [])
        assert fields_in(text.encode()) >= {"n", "x"}


def test_cells_keep_commas_quotes_and_line_breaks(tmp_path):
    path = write(tmp_path, "a.csv", 'n,x\n1,"a, ""b""\n\n c"\n2,d\n')

    found, _ = split(export_records(path))

    assert found == [(4, {"n": "1", "x": 'a, "b"\n\n c'}), (5, {"n": "2", "x": "d"})]


def test_bad_rows_are_problems_with_their_line(tmp_path):
    path = write(tmp_path, "a.csv", b'n,x\n1,a\n2\n\xff,b\n3,c\n4,"d')

    found, problems = split(export_records(path))

    assert [row["n"] for _, row in found] == ["1", "3"]
    assert [problem.removeprefix(f"{path}:").split(":")[0] for problem in problems] == ["3", "4", "6"]


def test_an_export_without_a_call_says_so(tmp_path):
    path = write(tmp_path, "traces.jsonl", '{"id": "1", "type": "SPAN", "traceId": "t"}\n')

    found, problems = split(read_calls([path], Reading(), source="langfuse"))

    assert found == []
    assert "none of its records" in problems[0]


@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_bill_reads_the_same_calls_without_their_anatomy(case):
    with_anatomy, _ = split(read_calls([case], Reading(anatomy=True)))
    without, _ = split(read_calls([case], Reading()))

    assert {c.call_id: c.usage for c in without} == {c.call_id: c.usage for c in with_anatomy}
    assert all(c.anatomy is None for c in without)


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_export_is_recognised_by_its_own_format_alone(name):
    for case in sorted((FIXTURES / name).iterdir()):
        if not case.name.endswith(".calls.json"):
            assert recognise(case).format_name == name


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in PLATFORMS])
def test_the_logs_of_other_tools_are_left_to_their_formats(name):
    for case in sorted((FIXTURES / name).iterdir()):
        if not case.name.endswith(".calls.json"):
            known = recognise(case)
            assert isinstance(known, Problem) or known.format_name not in PLATFORMS


WEIRD = st.sampled_from(
    [
        "null",
        "true",
        "-1",
        "1.5",
        "1" * 30,
        "1e308",
        '""',
        '"x"',
        '"\\ud83d"',
        '"["',
        '"{}"',
        "[]",
        "{}",
        "[[]]",
        '{"a":{}}',
    ]
).map(json.loads)


def mutate(node, data):
    """Puts something strange somewhere into a document; 1 in 3 fields on the way down."""
    if isinstance(node, dict) and node:
        key = data.draw(st.sampled_from(sorted(node)))
    elif isinstance(node, list) and node:
        key = data.draw(st.integers(0, len(node) - 1))
    else:
        return data.draw(WEIRD)
    node[key] = mutate(node[key], data) if data.draw(st.integers(0, 2)) else data.draw(WEIRD)
    return node


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(data=st.data())
@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_strange_values_in_any_field_give_calls_or_problems(case, data, tmp_path):
    text = case.read_text()
    documents = [json.loads(line) for line in text.splitlines()] if case.suffix == ".jsonl" else [json.loads(text)]
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(documents) - 1))
        documents[at] = mutate(documents[at], data)
    path = write(tmp_path, "mutated.jsonl", "\n".join(json.dumps(document) for document in documents))

    found = list(read_calls([path], Reading(anatomy=True), source=case.parent.name))

    assert found
    for one in found:
        if isinstance(one, Call):
            assert all(getattr(one.usage, bucket) >= 0 for bucket in BUCKETS)
            assert one.call_id
            assert one.started.utcoffset().total_seconds() == 0
            assert one.call_id.encode()
        else:
            assert isinstance(one, Problem)


def nested(span, parent, tokens):
    usage = Usage(tokens) if tokens is not None else Usage()
    call = Call(
        call_id=span,
        source="x",
        provider="",
        model="m",
        started=datetime(2026, 1, 1, tzinfo=UTC),
        usage=usage,
        usage_basis=Basis.UNKNOWN if tokens is None else Basis.EXACT,
    )
    return Recorded(call, span=span, parent=parent)


@pytest.mark.parametrize(
    ("records", "standing"),
    [
        ([nested("outer", "", 5), nested("inner", "step", 5)], ["inner"]),
        ([nested("outer", "", 5), nested("inner", "step", None)], ["outer"]),
        ([nested("outer", "", 9), nested("a", "step", 9), nested("failed", "step", None)], ["a", "failed"]),
        ([nested("one", "", 5), nested("two", "", 5)], ["one", "two"]),
        ([nested("circle", "back", 5), nested("back", "circle", 5)], ["circle", "back"]),
    ],
    ids=["sum", "inner-unknown", "sum-with-failure", "side-by-side", "circle"],
)
def test_of_calls_inside_each_other_the_one_nearest_to_the_provider_stands(records, standing):
    tree = {"step": "outer", **{record.span: record.parent for record in records}}

    assert [record.span for record in without_sums(records, tree)] == standing
