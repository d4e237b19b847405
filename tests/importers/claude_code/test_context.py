import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Call, Segment, SegmentKind
from modicum.importers.claude_code.context import TranscriptThread, fitted
from modicum.importers.claude_code.format import read
from modicum.importers.format import Reading

parts = st.builds(Segment, st.just(SegmentKind.USER), st.integers(0, 5000))


@given(st.lists(parts, min_size=1, max_size=9), st.integers(0, 100_000))
def test_fitted_segments_sum_to_what_was_counted_and_none_is_negative(segments, total):
    fit = fitted(segments, total)

    assert sum(part.tokens for part in fit) == total
    assert all(part.tokens >= 0 for part in fit)


@given(st.lists(st.tuples(st.lists(parts, max_size=4), st.integers(0, 20_000), st.integers(0, 20_000)), max_size=12))
def test_whatever_prompts_the_provider_counted_the_segments_sum_to_them(turns):
    thread = TranscriptThread()
    context = []
    for heard, prompt, cached in turns:
        thread._fresh, thread._fresh_rows = list(heard), [""] * len(heard)
        anatomy = thread.send(prompt, cached).anatomy
        context = [*context[: anatomy.kept_segments], *anatomy.added]

        assert sum(part.tokens for part in context) == prompt
        assert sum(part.tokens for part in context[: anatomy.kept_segments]) == anatomy.kept_tokens


def test_calls_are_the_same_with_anatomy_and_without(tmp_path):
    path = tmp_path / "t.jsonl"
    start = datetime(2026, 2, 3, tzinfo=UTC)
    rows = []
    for number in range(20):
        at = (start + timedelta(seconds=number)).isoformat()
        usage = {"input_tokens": 1, "output_tokens": number, "cache_read_input_tokens": 10 * number}
        message = {"id": f"msg_{number // 3}", "model": "claude-x", "usage": usage, "content": [{"type": "text"}]}
        rows.append({"type": "assistant", "sessionId": "s", "uuid": f"u{number}", "timestamp": at, "message": message})
        rows.append({"type": "user", "uuid": f"v{number}", "timestamp": at, "message": {"content": 7}})
    path.write_text("\n".join(map(json.dumps, rows)))

    plain = [c for c in read(path, Reading()) if isinstance(c, Call)]
    full = [c for c in read(path, Reading(anatomy=True)) if isinstance(c, Call)]

    assert [(c.call_id, c.usage, c.revision) for c in full] == [(c.call_id, c.usage, c.revision) for c in plain]


def test_no_text_is_left_in_a_call(tmp_path):
    path = tmp_path / "t.jsonl"
    secret = "sk-very-secret-prompt"
    usage = {"input_tokens": 50, "output_tokens": 1}
    rows = [
        {"type": "user", "uuid": "u", "timestamp": "2026-02-03T00:00:00Z", "message": {"content": secret}},
        {
            "type": "assistant",
            "uuid": "a",
            "sessionId": "s",
            "timestamp": "2026-02-03T00:00:01Z",
            "message": {
                "id": "msg_1",
                "model": "claude-x",
                "usage": usage,
                "content": [{"type": "tool_use", "id": "t", "name": "Read", "input": {"path": secret}}],
            },
        },
    ]
    path.write_text("\n".join(map(json.dumps, rows)))

    assert secret not in repr(list(read(path, Reading(anatomy=True))))


def test_a_row_that_could_not_be_read_hides_no_other(tmp_path):
    usage = {"input_tokens": 8, "output_tokens": 79}
    message = {"id": "msg_1", "model": "claude-x", "usage": usage}
    row = {"sessionId": "s", "timestamp": "2026-02-03T00:00:00Z", "message": message}
    first = json.dumps(row | {"message": message | {"usage": usage | {"output_tokens": 4}}}, separators=(",", ":"))
    whole = json.dumps(row, separators=(",", ":"))
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join([first, whole + '{"type":"summ', whole, whole]))

    found = list(read(path, Reading()))

    assert [c.usage.output_visible for c in found if isinstance(c, Call)] == [79]
    assert len(found) == 2


@given(st.data())
def test_rows_that_repeat_change_nothing_whatever_their_order(tmp_path_factory, data):
    rows = []
    for _ in range(data.draw(st.integers(1, 12))):
        usage = {"input_tokens": 5, "output_tokens": data.draw(st.integers(1, 3))}
        inner = {
            "isSidechain": data.draw(st.booleans()),
            "timestamp": f"2026-02-03T00:00:{data.draw(st.integers(10, 59))}Z",
            "message": {"id": f"msg_{data.draw(st.integers(0, 1))}", "model": "claude-x", "usage": usage},
        }
        frame = {"sessionId": "s", "timestamp": inner["timestamp"]}
        rows.append(frame | ({"data": {"message": inner}} if data.draw(st.booleans()) else inner))
    path = tmp_path_factory.mktemp("rows") / "t.jsonl"
    path.write_text("\n".join(json.dumps(row, separators=(",", ":")) for row in rows))
    spaced = path.with_name("spaced.jsonl")
    spaced.write_text("\n".join(json.dumps(row) for row in rows))  # whose rows are all decoded

    quick, slow = ([c for c in read(one, Reading()) if isinstance(c, Call)] for one in (path, spaced))

    assert [(c.call_id, c.usage, c.revision, c.place, c.started, c.finished) for c in quick] == [
        (c.call_id, c.usage, c.revision, c.place, c.started, c.finished) for c in slow
    ]
