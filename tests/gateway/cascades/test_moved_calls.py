"""Cascades through the whole gateway: a cheap model first, its answer judged before any of it is passed on."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2 as httpx
import pytest

from gateway.cascades.cascade_rig import JSON_SHAPE, cascading, says
from gateway.resilience.failing_rig import Fault, error
from modicum.calls import CallStatus

GOOD, BAD = '{"city": "Paris"}', "Paris, I think"


def test_an_answer_of_the_schema_is_believed_and_another_is_asked_for_again(tmp_path):
    with cascading(tmp_path, verifier="schema") as rig:
        rig.script["cheap"] = [says(GOOD), says(BAD)]
        rig.script["dear"] = [says(GOOD)]
        believed = rig.ask("t1", response_format=JSON_SHAPE)
        escalated = rig.ask("t2", response_format=JSON_SHAPE)
        first, attempt, call = rig.wait_for_records(3)

    assert (rig.text(believed), rig.text(escalated)) == (GOOD, GOOD)
    assert rig.calls_at == ["cheap", "cheap", "dear"]
    assert (first.tags["cascade.mine"], [edit.rule for edit in first.edits]) == ("believed", ["cascade.mine"])
    number = escalated.headers["x-modicum-call"]
    assert (attempt.tags["attempt.of"], call.tags["attempt.of"]) == (number, number)
    assert attempt.tags["attempt.failed"] == "not_believed"
    assert call.tags["attempt.kind"] == "escalation"
    assert call.tags["cascade.mine"] == attempt.tags["cascade.mine"] == "refused:no_json"
    assert (attempt.status, attempt.calls_count, attempt.usage.prompt_tokens) == (CallStatus.OK, 0, 10)
    assert (call.status, call.calls_count, call.edits) == (CallStatus.OK, 1, ())


def test_a_task_whose_answer_was_refused_stays_at_the_model_that_it_asked_for(tmp_path):
    with cascading(tmp_path, verifier="schema") as rig:
        rig.script["cheap"] = [says(BAD)]
        for task in ("t1", "t1", "t2"):
            rig.ask(task, response_format=JSON_SHAPE)
        assert rig.calls_at == ["cheap", "dear", "dear", "cheap", "dear"]


def test_without_an_experiment_no_call_is_moved(tmp_path):
    with cascading(tmp_path, in_force=False, verifier="schema") as rig:
        rig.ask(response_format=JSON_SHAPE)
        assert rig.calls_at == ["dear"]


@pytest.mark.parametrize("body", [{"stream": True}, {"n": 2}, {}], ids=["stream", "two_replies", "no_schema"])
def test_what_nothing_can_judge_goes_as_it_came(tmp_path, body):
    shape = {"response_format": JSON_SHAPE} if body else {}
    with cascading(tmp_path, verifier="schema") as rig:
        assert rig.ask(**shape, **body).status_code == 200
        assert rig.calls_at == ["dear"]


@pytest.mark.parametrize(
    ("fault", "kept"),
    [(error(503), "failed"), (Fault("hang_up"), "failed"), (says(GOOD, "length"), "cut_off"), (says(""), "empty")],
    ids=["refuses", "hangs_up", "cut_off", "empty"],
)
def test_a_cheap_model_that_gives_no_whole_answer_costs_nobody_theirs(tmp_path, fault, kept):
    with cascading(tmp_path, verifier="schema") as rig:
        rig.script["cheap"] = [fault]
        rig.script["dear"] = [says(GOOD)]
        reply = rig.ask(response_format=JSON_SHAPE)
        assert (reply.status_code, rig.text(reply)) == (200, GOOD)
        _, call = rig.wait_for_records(2)
        assert call.tags["cascade.mine"] == f"refused:{kept}"


def test_two_that_agree_are_believed_and_the_third_decides_between_others(tmp_path):
    agreement = {"verifier": "agreement", "second": "gpt-4.1-nano", "answer_pattern": r"#### (\d+)"}
    with cascading(tmp_path, **agreement) as rig:
        rig.script["cheap"] = [says("So #### 42"), says("It is #### 41")]
        rig.script["other"] = [says("Surely #### 42"), says("Surely #### 42")]
        rig.script["dear"] = [says("#### 40")]
        assert rig.text(rig.ask("t1")) == "Surely #### 42"
        assert rig.text(rig.ask("t2")) == "#### 40"
        records = rig.wait_for_records(5)

    assert rig.calls_at == ["cheap", "other", "cheap", "other", "dear"]
    assert [one.calls_count for one in records] == [0, 1, 0, 0, 1]
    assert [one.tags.get("attempt.kind") for one in records] == [
        None,
        "second_opinion",
        None,
        "second_opinion",
        "escalation",
    ]


def test_a_second_model_that_the_policy_forbids_is_not_asked(tmp_path):
    clauses = [{"name": "only", "not_models": ["gpt-4.1-nano"]}]
    with cascading(tmp_path, clauses=clauses, verifier="agreement", second="gpt-4.1-nano") as rig:
        assert rig.text(rig.ask()) == "Paris"
        _, call = rig.wait_for_records(2)

    assert rig.calls_at == ["cheap", "dear"]
    assert call.tags["cascade.mine"] == "refused:no_second"


def test_a_first_model_that_the_policy_forbids_is_not_asked(tmp_path):
    with cascading(tmp_path, clauses=[{"name": "only", "not_models": ["gpt-4o-mini"]}], verifier="schema") as rig:
        assert rig.ask(response_format=JSON_SHAPE).status_code == 200

    assert rig.calls_at == ["dear"]


def test_a_budget_that_has_nothing_left_for_a_second_model_keeps_the_first_answer(tmp_path):
    with cascading(tmp_path, verifier="schema", budgets=[{"name": "one", "per": "day", "limit_usd": 0.5}]) as rig:
        rig.script["cheap"] = [says(BAD, output=10**6)]  # $0.60
        reply = rig.ask(response_format=JSON_SHAPE)
        assert (reply.status_code, rig.text(reply)) == (200, BAD)
        assert rig.calls_at == ["cheap"]
        (call,) = rig.wait_for_records(1)
        assert call.tags["cascade.mine"] == "refused:no_json"


def test_a_cheap_model_that_is_away_where_nothing_else_may_be_asked_ends_as_it_would_alone(tmp_path):
    with cascading(tmp_path, verifier="schema") as rig:
        rig.script["cheap"] = [Fault("hang_up")]
        rig.gateway.parts.recorder.add_attempt = refuse_attempts
        reply = rig.ask(response_format=JSON_SHAPE)
        assert (reply.status_code, reply.json()["error"]["type"]) == (502, "server_error")
        assert rig.calls_at == ["cheap"]


async def refuse_attempts(*_):
    """As a disk that is full."""
    return False


class Verifier(BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.questions.append(question)
        reply = self.server.replies.pop(0)
        self.send_response(200)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


@pytest.fixture
def verifier():
    server = HTTPServer(("127.0.0.1", 0), Verifier)
    server.questions, server.replies = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_program_of_the_owners_decides_and_one_that_cannot_believes_nothing(tmp_path, verifier):
    verifier.replies = [b'{"believed": true, "score": 1}', b'{"believed": false}', b"no", b"{}"]
    url = f"http://127.0.0.1:{verifier.server_port}/verify"
    with cascading(tmp_path, verifier="http", url=url) as rig:
        for number in range(4):
            rig.ask(f"t{number}")
        assert rig.calls_at == ["cheap", *["cheap", "dear"] * 3]

    question = verifier.questions[0]
    assert (question["task"], question["model"], question["answer"]) == ("t0", "gpt-4o-mini", "Paris")
    assert question["request"]["messages"][0]["content"].startswith("What is")


def test_a_verifier_that_is_away_or_silent_believes_nothing(tmp_path):
    silent = asyncio.new_event_loop()
    server = silent.run_until_complete(asyncio.start_server(lambda *_: None, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    with cascading(tmp_path, verifier="http", url=f"http://127.0.0.1:{port}/", timeout_s=0.05) as rig:
        assert rig.text(rig.ask("t1")) == "Paris"
        _, call = rig.wait_for_records(2)
        assert call.tags["cascade.mine"].startswith("refused:verifier_")
    server.close()
    silent.run_until_complete(server.wait_closed())
    silent.close()


def test_a_model_that_has_gone_is_left_alone_and_the_call_answered(tmp_path):
    with cascading(tmp_path, verifier="schema") as rig:
        rig.script["cheap"] = [error(404, "", "model_not_found")]
        for task in ("t1", "t2"):
            assert rig.ask(task, response_format=JSON_SHAPE).status_code == 200
        assert rig.calls_at == ["cheap", "dear", "dear"]


def test_it_goes_with_retries_of_an_upstream(tmp_path):
    with cascading(tmp_path, verifier="schema", policies=[{"retries": 1}]) as rig:
        rig.script["cheap"] = [error(503), says(GOOD)]
        assert rig.text(rig.ask(response_format=JSON_SHAPE)) == GOOD
        assert rig.calls_at == ["cheap", "cheap"]
        _, call = rig.wait_for_records(2)
        assert (call.tags["cascade.mine"], call.tags["attempt.kind"]) == ("believed", "retry")


def test_a_verifier_that_is_wrong_too_often_stops_its_cascade(tmp_path):
    with cascading(tmp_path, verifier="schema", outcome="ok", most_wrong=0.2) as rig:
        rig.script["cheap"] = [says(GOOD) for _ in range(20)]
        for number in range(20):
            rig.ask(f"t{number}", response_format=JSON_SHAPE)
        graded = [{"task": f"t{number}", "name": "ok", "value": int(number >= 12)} for number in range(20)]
        assert httpx.post(f"{rig.url}/outcomes", json=graded, headers=rig.headers()).status_code == 200
        before = len(rig.calls_at)
        rig.ask("new", response_format=JSON_SHAPE)
        assert rig.calls_at[before:] == ["dear"]
