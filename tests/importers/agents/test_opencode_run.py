import json

import pytest

from importers.fixture_pairs import cases_of, read
from modicum.ledger.booking import newest_calls


@pytest.mark.parametrize("order", [1, -1])
def test_the_message_of_opencodes_own_storage_stands_above_the_run(order, tmp_path):
    run = cases_of("opencode-run")[0]
    tokens = {"input": 7952, "output": 59, "reasoning": 24, "total": 8111, "cache": {"read": 100, "write": 0}}
    message = {
        "id": "msg_1",
        "sessionID": "ses_1",
        "role": "assistant",
        "modelID": "claude-sonnet-4-5",
        "providerID": "anthropic",
        "time": {"created": 1790166723209},
        "tokens": tokens,
    }
    own = tmp_path / "msg_1.json"
    own.write_text(json.dumps(message))

    calls, _ = read([run, own][::order])

    standing = {call.call_id: call.model for call in newest_calls(calls)}
    assert standing == {"opencode:msg_1": "claude-sonnet-4-5", "opencode:msg_2": ""}


def test_the_steps_of_one_message_are_one_call(tmp_path):
    def step(kind, at, **part):
        return {"type": kind, "timestamp": at, "sessionID": "s", "part": {"messageID": "msg_7", **part}}

    rows = [
        step("step_start", 1790166723209),
        step("step_finish", 1790166724209, tokens={"input": 10, "output": 1}, cost=0.5),
        step("step_start", 1790166725209),
        step("step_finish", 1790166726209, tokens={"input": 20, "output": 2}, cost=0.25),
    ]
    (tmp_path / "run.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    calls, _ = read([tmp_path])

    assert [(c.usage.prompt_tokens, c.usage.completion_tokens, str(c.reported_cost_usd)) for c in calls] == [
        (30, 3, "0.75")
    ]
