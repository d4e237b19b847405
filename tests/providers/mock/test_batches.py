import json

import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.batches import MockBatches
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from providers.mock_rig import CREATED, HELLO

OPENAI, ANTHROPIC = DIALECTS["openai-batches"], DIALECTS["anthropic-batches"]
ROW = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": HELLO}}


@pytest.fixture
def batches():
    return MockBatches(MockProvider())


def ask(batches, method, path, body=b"", dialect=OPENAI, **options):
    reply = batches.answer(dialect, method, path, body, MockOptions(**options), CREATED)
    return reply.status, b"".join(reply.parts)


def made(batches, *rows, **options):
    _, file = ask(batches, "POST", "/v1/files", b"\n".join(json.dumps(row).encode() for row in rows))
    asked = {"input_file_id": json.loads(file)["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return json.loads(ask(batches, "POST", "/v1/batches", json.dumps(asked).encode(), **options)[1])


def test_a_batch_of_openai_is_over_after_as_many_looks_as_were_asked_for(batches):
    batch = made(batches, ROW, ROW | {"custom_id": "b"}, batch_polls=2)
    path = f"/v1/batches/{batch['id']}"

    looks = [json.loads(ask(batches, "GET", path)[1]) for _ in range(3)]

    assert (batch["status"], [one["status"] for one in looks]) == (
        "validating",
        ["validating", "completed", "completed"],
    )
    assert looks[1]["output_file_id"] == looks[2]["output_file_id"]
    _, content = ask(batches, "GET", f"/v1/files/{looks[2]['output_file_id']}/content")
    rows = [json.loads(line) for line in content.splitlines()]
    assert [row["custom_id"] for row in rows] == ["a", "b"]
    assert all(OPENAI.row_reply(json.dumps(row["response"]["body"]).encode()).usage for row in rows)
    about = json.loads(ask(batches, "GET", f"/v1/files/{looks[2]['output_file_id']}")[1])
    assert OPENAI.shape.is_result_file(about)


def test_a_batch_of_anthropic_has_its_results_as_lines(batches):
    params = {"model": "claude-x", "max_tokens": 9, "messages": HELLO}
    bad = {"custom_id": "bad", "params": {"model": "claude-x", "messages": HELLO}}
    body = json.dumps({"requests": [{"custom_id": "a", "params": params}, bad]}).encode()
    batch = json.loads(ask(batches, "POST", "/v1/messages/batches", body, ANTHROPIC)[1])
    path = f"/v1/messages/batches/{batch['id']}"

    assert ask(batches, "GET", f"{path}/results", dialect=ANTHROPIC)[0] == 404
    assert json.loads(ask(batches, "GET", path, dialect=ANTHROPIC)[1])["processing_status"] == "ended"
    _, results = ask(batches, "GET", f"{path}/results", dialect=ANTHROPIC)
    assert [json.loads(line)["result"]["type"] for line in results.splitlines()] == ["succeeded", "errored"]


def test_what_is_not_there_or_no_batch_is_an_error(batches):
    for method, path in [("GET", "/v1/files/none"), ("GET", "/v1/batches/none"), ("POST", "/v1/batches/none/cancel")]:
        assert ask(batches, method, path)[0] == 404
    for rows in ([ROW | {"url": "/v1/nothing"}], ["no json object"]):
        with pytest.raises(KeyError):
            made(batches, *rows)["id"]
    assert batches.answer(OPENAI, "GET", "/v1/models", b"", MockOptions(), CREATED) is None


def test_files_are_listed_read_and_removed(batches):
    name = json.loads(ask(batches, "POST", "/v1/files", b"abc")[1])["id"]
    assert ask(batches, "GET", f"/v1/files/{name}/content")[1] == b"abc"
    assert [one["id"] for one in json.loads(ask(batches, "GET", "/v1/files")[1])["data"]] == [name]
    assert json.loads(ask(batches, "DELETE", f"/v1/files/{name}")[1])["deleted"]
    assert ask(batches, "GET", f"/v1/files/{name}")[0] == 404
    cancelled = made(batches, ROW)["id"]
    assert json.loads(ask(batches, "POST", f"/v1/batches/{cancelled}/cancel")[1])["status"] == "cancelled"
    assert len(json.loads(ask(batches, "GET", "/v1/batches")[1])["data"]) == 1
