"""Every format against bad and odd logs; each format's fixture pairs are read by the test of its own file."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers.fixture_pairs import CASES, read
from modicum.calls import BUCKETS, Call, Usage, UserError
from modicum.importers import FORMATS, format_named
from modicum.importers.read_logs import with_steady_clock


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_fixture_and_says_what_it_was_checked_against(name):
    assert any(case.parent.name == name for case in CASES)
    assert format_named(name).checked_against in {"real exports", "documentation"}
    assert format_named(name).name == name


@settings(
    max_examples=settings.default.max_examples // 5,  # of each of dozens of files
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.suffix != ".db"], ids=lambda c: f"{c.parent.name}/{c.name}"
)
def test_mutated_logs_give_calls_or_problems_and_never_a_traceback(case, data, tmp_path):
    content = bytearray(gzip.decompress(case.read_bytes()) if case.suffix == ".gz" else case.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "drop", "insert"]))
        if kind == "flip":
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at + 1 :]
        elif kind == "drop":
            del content[at : at + data.draw(st.integers(1, 40))]
            content = content or bytearray(b"{")
        else:
            content[at:at] = data.draw(
                st.sampled_from([b"null", b"-1", b"1e99", b'"', b"{", b"[", b"\n", b"\xff", b"0.5"])
            )
    path = tmp_path / case.name.removesuffix(".gz")
    path.write_bytes(content)

    calls, _ = read([path], source=case.parent.name)

    assert all(getattr(call.usage, bucket) >= 0 for call in calls for bucket in BUCKETS)
    assert all(call.call_id and call.started.tzinfo for call in calls)


JUNK = [None, -1, 0.5, 1e300, float("inf"), 10**30, "", "x", "\ud800", [], {}, [[]], True, "9999-12-31T23:59:59-14:00"]


def places_in(value, place=()):
    yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places_in(inner, (*place, key))


def with_junk(text, data):
    """The JSON text with one of its values replaced by one of another type or size."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    *way, last = data.draw(st.sampled_from(list(places_in([document]))[1:]))
    holder = [document]
    inner = holder
    for key in way:
        inner = inner[key]
    inner[last] = data.draw(st.sampled_from(JUNK))
    return json.dumps(holder[0])


@settings(
    max_examples=settings.default.max_examples // 5,  # of each of dozens of files
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.suffix in {".json", ".jsonl"}], ids=lambda c: f"{c.parent.name}/{c.name}"
)
def test_values_of_other_types_give_calls_or_problems_that_can_be_kept(case, data, tmp_path):
    text = case.read_text()
    if case.suffix == ".json":
        text = with_junk(text, data)
    else:
        rows = text.splitlines()
        at = data.draw(st.integers(0, len(rows) - 1))
        rows[at] = with_junk(rows[at], data)
        text = "\n".join(rows)
    path = tmp_path / case.name
    path.write_text(text)

    calls, _ = read([path], source=case.parent.name)
    read([path])  # nor does a recogniser raise

    assert all(msgspec.json.decode(msgspec.json.encode(call))["call_id"] for call in calls)
    assert all(call.finished is None or call.finished >= call.started for call in calls)


def test_an_unknown_source_names_the_known_ones():
    with pytest.raises(UserError, match="claude-code"):
        format_named("no-such-format")


def test_an_unknown_file_and_an_empty_one_are_problems(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"hello": 1}\n')
    (tmp_path / "b.jsonl").write_text("")

    calls, problems = read([tmp_path, tmp_path / "missing"])

    assert calls == []
    assert len(problems) == 3
    assert all(any(why in told for told in problems) for why in ("no known log format", "empty", "no such file"))


def test_times_before_the_start_are_not_kept():
    start = datetime(2026, 2, 3, tzinfo=UTC)
    call = Call(
        call_id="c",
        source="s",
        provider="",
        model="m",
        started=start,
        usage=Usage(),
        finished=start - timedelta(hours=1),
    )

    assert with_steady_clock(call).finished is None


def test_a_call_from_another_age_is_a_problem(tmp_path):
    message = {"id": "m", "model": "c", "usage": {"output_tokens": 1}}
    row = {"sessionId": "s", "parentUuid": None, "timestamp": "9999-12-31T23:59:59Z", "message": message}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, separators=(",", ":")))

    calls, problems = read([tmp_path])

    assert calls == []
    assert "year 9999" in problems[0]


def test_a_project_has_one_name_and_the_folder_stays_as_a_tag(tmp_path):
    usage = {"input_tokens": 1, "output_tokens": 1}
    folders = ["/home/kim/shop", "/home/kim/shop/.claude/worktrees/a"]
    rows = [
        {
            "sessionId": "s",
            "parentUuid": None,
            "cwd": folder,
            "timestamp": "2026-02-03T00:00:00Z",
            "message": {"id": f"msg_{number}", "model": "c", "usage": usage},
        }
        for number, folder in enumerate(folders)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row, separators=(",", ":")) for row in rows))

    calls, _ = read([tmp_path])

    assert [(call.project, call.tags) for call in calls] == [(folders[0], {}), (folders[0], {"folder": folders[1]})]
