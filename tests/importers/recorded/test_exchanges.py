import json
from datetime import UTC, datetime, timedelta

from modicum.calls import Call, CallStatus, Usage
from modicum.importers.format import Reading
from modicum.importers.recorded.exchanges import RecordedContexts, exchanges, first_record, status_of
from modicum.providers.openai.blocks import request_blocks


def written(tmp_path, *records):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_bodies_bare_wrapped_and_as_text(tmp_path):
    body = {"id": "1", "usage": {}}
    path = written(
        tmp_path,
        body,
        {"request": {"body": {"model": "m"}}, "response": {"status_code": 200, "body": body}},
        {"request": {"model": "m"}, "response": json.dumps(body)},
        {"response": 'event: x\ndata: {"id": "1"}\n\ndata: [DONE]\n'},
    )

    bare, wrapped, texted, streamed = exchanges(path)

    assert bare.response == wrapped.response == texted.response == body
    assert wrapped.request == {"model": "m"}
    assert streamed.events == [{"id": "1"}]


def test_times_by_their_many_names(tmp_path):
    path = written(
        tmp_path,
        {"request": {}, "started_at": "2026-01-01T00:00:00Z", "latency_ms": 1500, "ttft_ms": 300},
        {"request": {}, "timestamp": 1767225600, "end_time": "2026-01-01T00:00:02Z"},
        {"request": {}},
    )

    one, other, none = [exchange.times() for exchange in exchanges(path)]

    assert (one[1] - one[0], one[2] - one[0]) == (timedelta(milliseconds=300), timedelta(seconds=1.5))
    assert other[2] - other[0] == timedelta(seconds=2)
    assert none == (None, None, None)


def test_only_wrapped_replies_with_a_custom_id_are_batch(tmp_path):
    path = written(
        tmp_path,
        {"custom_id": "1", "response": {"status_code": 200, "body": {}}},
        {"custom_id": "1", "request": {}, "response": {"id": "x"}},
        {"custom_id": "1", "result": {"type": "succeeded"}},
    )

    assert [exchange.is_batch for exchange in exchanges(path)] == [True, False, True]


def test_a_refusal_is_an_error(tmp_path):
    path = written(tmp_path, {"request": {}, "status": 503, "response": {}}, {"request": {}, "response": {"error": {}}})

    assert [status_of(exchange, exchange.response) for exchange in exchanges(path)] == [CallStatus.ERROR, CallStatus.OK]


def test_a_changed_system_prompt_breaks_the_context_and_says_so(tmp_path):
    def asked(system, *more):
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "Hi"}, *more]
        return {"request": {"messages": messages}, "response": {}}

    path = written(
        tmp_path,
        asked("A"),
        asked("A", {"role": "user", "content": "So?"}),
        asked("B"),
        {"request": {}, "response": {}},
    )
    contexts = RecordedContexts("openai", Reading(anatomy=True))
    placed = []
    for number, found in enumerate(exchanges(path)):
        blocks = request_blocks(found.request)
        call = Call(
            call_id=f"{number}", source="openai", provider="", model="gpt-5.2", usage=Usage(),
            started=datetime(2026, 1, 1, second=number, tzinfo=UTC), conversation=contexts.conversation(found, blocks),
        )  # fmt: skip
        placed.append(contexts.with_anatomy(call, blocks, [], {}))

    *named, bare = placed
    assert len({call.conversation for call in named}) == 1
    assert [(a.kept_segments, len(a.added), a.break_cause) for a in (call.anatomy for call in named)] == [
        (0, 2, ""),
        (2, 1, ""),
        (0, 2, "system"),
    ]
    assert (bare.conversation, bare.anatomy) == ("", None)


def test_a_first_record_longer_than_the_head_is_read_in_full(tmp_path):
    path = written(tmp_path, {"request": {"messages": "x" * 100_000}, "response": {"object": "chat.completion"}})
    head = path.read_bytes()[: 64 * 1024]

    assert first_record(path, head, lambda _: True)["response"] == {"object": "chat.completion"}
    assert first_record(path, head, lambda _: False) == {}
    assert first_record(path, b"{ broken", lambda _: True) == {}


def test_the_sessions_of_one_person_are_tasks_and_no_users(tmp_path):
    def body(session):
        told = json.dumps({"device_id": "d", "account_uuid": "a-1", "session_id": session})
        return {"request": {"model": "m", "metadata": {"user_id": told}}, "response": {"id": session}}

    path = written(tmp_path, body("s-1"), body("s-2"), {"request": {"metadata": {"user_id": "ann"}}})

    one, other, plain = exchanges(path)

    assert (one.owner.user, other.owner.user, plain.owner.user) == ("a-1", "a-1", "ann")
    assert (one.task, other.task, plain.task) == ("s-1", "s-2", "")


def test_events_on_several_lines_are_joined_and_a_body_that_holds_the_word_data_is_no_stream(tmp_path):
    lines = ["data: {", 'data:   "id": "1"', "data: }", "", ": a comment", "id: 3", 'data: {"id": "2"}', "", ""]
    body = {"id": "1", "content": "data: here"}
    path = written(
        tmp_path,
        *(
            {"request": {}, "response": mark + end.join(lines)}
            for mark in ("", "\ufeff")
            for end in ("\n", "\r\n", "\r")
        ),
        {"request": {}, "response": json.dumps(body, indent=1)},
    )

    *streamed, texted = exchanges(path)

    assert [exchange.events for exchange in streamed] == [[{"id": "1"}, {"id": "2"}]] * 6
    assert texted.response == body


def test_a_choice_that_ends_in_an_error_is_one_and_a_response_under_way_has_no_end(tmp_path):
    path = written(
        tmp_path,
        {"request": {}, "response": {"choices": [{"finish_reason": "error"}]}},
        {"request": {}, "response": {"status": "queued"}},
        {"request": {}, "response": {"status": "in_progress"}},
    )

    statuses = [status_of(exchange, exchange.response) for exchange in exchanges(path)]

    assert statuses == [CallStatus.ERROR, CallStatus.UNKNOWN, CallStatus.UNKNOWN]
