"""A number that nobody here has ever seen, added to any object that a reader counts by, changes no count and is named:
in every log format.

Which objects a reader counts by is found by trying: those in which another value of a count changes a call.
"""

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from importers.fixture_pairs import CASES, case_id
from modicum.calls import Call
from modicum.importers import read_calls
from modicum.importers.format import Reading

SMELL = "smell_tokens"
STRICT = {
    "modicum": "our own JSON lines: a field that this version does not know is a problem, and the row is not counted"
}
SAID_TWICE = {"spawned-from-zero.jsonl": "one call, whose counts stand in two objects"}


def read(path, source):
    return [found for found in read_calls([path], Reading(), source=source) if isinstance(found, Call)]


def objects(document):
    """Every JSON object of a document, with those that stand in texts; each as a way to change it in place."""
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from objects(value)
    elif isinstance(document, list):
        for value in document:
            yield from objects(value)


class Inner(dict):
    """An object that stands in its place as a text."""


class InnerList(list):
    pass


def unfolded(value):
    if isinstance(value, dict):
        return {name: unfolded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [unfolded(inner) for inner in value]
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            inner = json.loads(value)
        except ValueError:
            return value
        return Inner(unfolded(inner)) if isinstance(inner, dict) else InnerList(unfolded(inner))
    return value


def folded(value):
    if isinstance(value, dict):
        inner = {name: folded(one) for name, one in value.items()}
        return json.dumps(inner) if isinstance(value, Inner) else inner
    if isinstance(value, list):
        inner = [folded(one) for one in value]
        return json.dumps(inner) if isinstance(value, InnerList) else inner
    return value


class Lines:
    """A JSON document, JSON lines, or the JSON in the cells of a CSV, whose objects can be changed."""

    def __init__(self, case):
        self.case = case
        self.text = case.read_text(encoding="utf-8")
        self.parts = []
        if case.suffix == ".json":
            self.parts = [unfolded(json.loads(self.text))]
        elif case.suffix == ".csv":
            self.parts = [dict_or_cells(row) for row in csv.reader(io.StringIO(self.text))]
        else:
            for line in self.text.split("\n"):
                try:
                    self.parts.append(unfolded(json.loads(line)))
                except ValueError:
                    self.parts.append(line)

    def objects(self):
        return [one for part in self.parts for one in objects(part)]

    def write(self, path):
        if self.case.suffix == ".json":
            path.write_text(json.dumps(folded(self.parts[0])))
        elif self.case.suffix == ".csv":
            with path.open("w", newline="") as stream:
                csv.writer(stream).writerows([folded(list(part)) for part in self.parts])
        else:
            path.write_text(
                "\n".join(part if isinstance(part, str) else json.dumps(folded(part)) for part in self.parts)
            )


def dict_or_cells(row):
    return [unfolded(cell) for cell in row]


def numbers(holder):
    for name, value in holder.items():
        if (isinstance(value, int | float) and not isinstance(value, bool)) or (
            isinstance(value, dict) and set(value) <= {"intValue", "doubleValue"}
        ):
            yield name, value


def is_counted_by(lines, holder, path, source, before):
    """Whether another value of one of its numbers changes what is counted."""
    for name, value in list(numbers(holder)):
        if isinstance(value, dict):
            continue
        holder[name] = value - 1 if value >= 1 else value + 3  # less, so that no second record of a call stands for it
        lines.write(path)
        after = read(path, source)
        holder[name] = value
        if len(after) == len(before) and [call.usage for call in after] != [call.usage for call in before]:
            return True
    return False


def check_named(before, after, holder):
    named = [call for call in after if any("smell" in caveat for caveat in call.charges.caveats)]
    assert named, holder
    assert [call.usage for call in after] == [call.usage for call in before]
    assert [call.usage_basis for call in after] == [call.usage_basis for call in before]


TEXTS = [
    case
    for case in CASES
    if case.suffix in {".json", ".jsonl", ".csv"} and case.parent.name not in STRICT and case.parent.name != "otlp"
]


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_number_added_where_a_reader_counts_is_named(case, tmp_path):
    source = case.parent.name
    for beside in case.parent.iterdir():
        if not beside.name.endswith(".calls.json"):
            shutil.copy(beside, tmp_path)
    path = tmp_path / case.name
    lines = Lines(case)
    lines.write(path)
    before = read(path, source)
    places, tried = 0, []
    for holder in lines.objects():
        if source == "langfuse" and holder in tried:
            continue  # a second record of the same call: the first stands
        tried.append(dict(holder))
        if not is_counted_by(lines, holder, path, source, before):
            continue
        places += 1
        holder[SMELL] = 7
        lines.write(path)
        after = read(path, source)
        del holder[SMELL]
        check_named(before, after, holder)
    has_counts = any(call.usage.total_tokens for call in before)
    assert places or not has_counts or case.suffix == ".csv" or case.name in SAID_TWICE


TABLES = [case for case in CASES if case.suffix == ".csv"]


@pytest.mark.parametrize("case", TABLES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_column_of_tokens_that_nobody_knows_is_named(case, tmp_path):
    rows = list(csv.reader(io.StringIO(case.read_text(encoding="utf-8-sig"))))
    if "usage_details" in rows[0]:
        return  # its counts stand in a cell, and are tried above
    before = read(case, case.parent.name)
    columns = len(rows[0])
    for number, row in enumerate(rows):
        if len(row) == columns:
            row.append("7" if number else SMELL)
    path = tmp_path / case.name
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)

    check_named(before, read(path, case.parent.name), rows[0])


@pytest.mark.parametrize("case", [case for case in CASES if case.suffix == ".db"], ids=case_id)
def test_a_column_of_a_database_that_nobody_knows_is_named(case, tmp_path):
    source = case.parent.name
    before = read(case, source)
    for table in tables_that_count(case):
        path = tmp_path / f"{table}.db"
        shutil.copy(case, path)
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {SMELL} INTEGER DEFAULT 7")
            database.commit()

        check_named(before, read(path, source), table)


def tables_that_count(case):
    """The tables of a database in which a column counts tokens."""
    of_tokens = "SELECT DISTINCT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE c.name LIKE '%tokens'"
    with closing(sqlite3.connect(case)) as database:
        return [name for (name,) in database.execute(of_tokens)]


def test_our_own_lines_reject_what_they_do_not_know(tmp_path):
    case = next(case for case in CASES if case.parent.name == "modicum")
    row = json.loads(case.read_text().splitlines()[0])
    row["usage"][SMELL] = 7
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(row))

    assert read(path, "modicum") == []
