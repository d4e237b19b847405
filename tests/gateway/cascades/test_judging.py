"""What a verifier can judge; programs of the owner's are asked in test_moved_calls.py, but for those of the docs."""

import asyncio
import json
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.cascades.cascade_rig import cascading, says
from modicum.gateway.cascades.judging import CascadeJudge, answer_of
from modicum.providers.dialects import DIALECTS
from modicum.routing.verifiers import ModelAnswer
from modicum.settings import CascadeSettings

BODY = json.dumps({"response_format": {"type": "json_object"}}).encode()


def judge(verifier, answer, body=BODY, **more):
    one = CascadeJudge("mine", CascadeSettings(models="*", first="mini", verifier=verifier, **more))
    return asyncio.run(one.judge(SimpleNamespace(edited=body), answer))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "failed"),
        (ModelAnswer("", "stop"), "empty"),
        (ModelAnswer("{}", "length"), "cut_off"),
        (ModelAnswer("", "tool_calls", calls_tools=True), "calls_tools"),
        (ModelAnswer("no", "stop"), "no_json"),
        (ModelAnswer("{}", "stop"), ""),
    ],
)
def test_a_schema_judges_whole_answers_alone(answer, why):
    verdict = judge("schema", answer)

    assert (verdict.is_believed, verdict.why) == (not why, why)


def test_only_calls_that_ask_for_json_can_be_judged_by_a_schema():
    schema = CascadeJudge("mine", CascadeSettings(models="*", first="mini", verifier="schema"))

    assert (schema.can_judge(BODY), schema.can_judge(b"{}")) == (True, False)
    assert judge("schema", ModelAnswer("{}", "stop"), b"{}").why == "no_schema"


def test_an_answer_is_read_in_the_callers_dialect():
    message = {"content": "Paris"}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    exchange = SimpleNamespace(
        answer=SimpleNamespace(status=200),
        reply=SimpleNamespace(error_kind="", finish_reason="stop"),
        request=SimpleNamespace(served=SimpleNamespace(dialect=DIALECTS["openai-chat"])),
    )

    assert answer_of(exchange, body) == ModelAnswer("Paris", "stop")
    exchange.answer.status = 500
    assert answer_of(exchange, body) is None


@contextmanager
def verifier_of_the_docs(check):
    """The program of docs/routing.md, word for word; gives its address."""
    page = (Path(__file__).parents[3] / "docs" / "routing.md").read_text("utf-8")
    program = {"__name__": "verify"}
    text = page[page.index('"""verify.py: ') :]
    exec(text[: text.index("\n```\n")], program)  # noqa: S102 - our own docs
    server = program["make_server"](program[check], 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield program, f"http://127.0.0.1:{server.server_port}/verify"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def code(text):
    return says(f"Here it is:\n```python\n{text}\n```\n")


def test_tests_of_a_task_decide_by_the_program_of_the_docs(tmp_path):
    (tmp_path / "add.py").write_text("from answer import add\nassert add(2, 3) == 5\n")
    with (
        verifier_of_the_docs("passes_tests") as (program, url),
        cascading(tmp_path / "gateway", verifier="http", url=url) as rig,
    ):
        program["TESTS"] = tmp_path
        right = "def add(a, b):\n    return a + b"
        rig.script["cheap"] = [code(right), code(right), code("raise SystemExit"), says("3 + 2")]
        assert right in rig.text(rig.ask("add"))
        assert rig.calls_at == ["cheap"]
        for task in ("../add", "add"):
            assert rig.text(rig.ask(task)) == "Paris"
        assert rig.calls_at == ["cheap", *["cheap", "dear"] * 2]
        assert rig.wait_for_records(5)[-1].tags["cascade.mine"] == "refused:verifier"


def test_a_judge_is_asked_through_the_gateway_and_is_a_call_of_its_own(tmp_path, monkeypatch):
    with (
        verifier_of_the_docs("is_judged_right") as (_, url),
        cascading(tmp_path / "gateway", verifier="http", url=url) as rig,
    ):
        monkeypatch.setenv("GATEWAY", rig.url)
        monkeypatch.setenv("JUDGE_MODEL", "gpt-4.1-nano")
        monkeypatch.setenv("MODICUM_KEY", rig.issue_key("judge"))
        rig.script["other"] = [says("It is.\nyes"), says("It is not.\nno"), says("I do not say yes")]
        for task in ("t1", "t2", "t3"):
            assert rig.text(rig.ask(task)) == "Paris"
        judged = [one for one in rig.wait_for_records(8) if one.agent == "judge"]

    assert rig.calls_at == ["cheap", "other", *["cheap", "other", "dear"] * 2]
    assert [(one.task, one.owner.key, one.calls_count) for one in judged] == [
        (task, "judge", 1) for task in ("t1", "t2", "t3")
    ]
    assert rig.asked[1]["model"] == "gpt-4.1-nano"
    assert "Paris" in rig.asked[1]["messages"][1]["content"]


@pytest.mark.parametrize(
    "limit",
    [
        {"clauses": [{"name": "only", "not_models": ["gpt-4.1-nano"]}]},
        {"budgets": [{"name": "of judges", "per": "day", "key": "judge", "limit_calls": 0}]},
    ],
    ids=["policy", "budget"],
)
def test_a_judge_that_may_not_be_asked_believes_nothing(tmp_path, monkeypatch, limit):
    with (
        verifier_of_the_docs("is_judged_right") as (_, url),
        cascading(tmp_path / "gateway", verifier="http", url=url, **limit) as rig,
    ):
        monkeypatch.setenv("GATEWAY", rig.url)
        monkeypatch.setenv("JUDGE_MODEL", "gpt-4.1-nano")
        monkeypatch.setenv("MODICUM_KEY", rig.issue_key("judge"))
        assert rig.text(rig.ask()) == "Paris"

    assert rig.calls_at == ["cheap", "dear"]
