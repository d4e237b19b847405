"""Requests in full, as SDKs and proxies write them down."""

import json

import pytest

from modicum.calls import Problem
from modicum.importers.recorded.requests import read_requests

CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}
CLAUDE = {"model": "claude-opus-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
TIME = {"timestamp": "2026-11-20T12:00:00Z"}


def read(tmp_path, *records):
    path = tmp_path / "recorded.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return list(read_requests(path))


@pytest.mark.parametrize(
    ("record", "dialect", "counts"),
    [
        ({**TIME, "request": CHAT}, "openai-chat", (None, None)),
        ({**TIME, "request": {"model": "gpt-4.1", "input": "hi"}}, "openai-responses", (None, None)),
        ({**TIME, "request": {"body": CLAUDE}}, "anthropic-messages", (None, None)),
        (
            {**TIME, "url": "https://x.example/v1/messages", "request": {**CHAT, "model": "m"}},
            "anthropic-messages",
            (None, None),
        ),
        (
            {
                **TIME,
                "request": CHAT,
                "response": {
                    "choices": [],
                    "usage": {
                        "prompt_tokens": 2000,
                        "completion_tokens": 1,
                        "prompt_tokens_details": {"cached_tokens": 1024},
                    },
                },
            },
            "openai-chat",
            (2000, 1024),
        ),
        (
            {
                **TIME,
                "request": CLAUDE,
                "response": {
                    "type": "message",
                    "usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1},
                },
            },
            "anthropic-messages",
            (12, 7),
        ),
    ],
)
def test_a_request_is_read_with_its_dialect_and_what_was_counted(tmp_path, record, dialect, counts):
    (found,) = read(tmp_path, record)

    assert (found.dialect, (found.prompt_tokens, found.cache_read)) == (dialect, counts)
    request = record["request"].get("body", record["request"])
    assert found.body == json.dumps(request, separators=(",", ":")).encode()  # keys in their order
    assert found.at.isoformat() == "2026-11-20T12:00:00+00:00"


def test_a_body_alone_is_a_request_without_a_time_and_that_is_said(tmp_path):
    found, problem = read(tmp_path, CHAT)

    assert found.dialect == "openai-chat"
    assert problem.reason.startswith("1 request has no time")


@pytest.mark.parametrize(
    "record",
    [
        {"request": {}, "response": {"choices": []}},
        {"request": {"model": 5, "messages": []}},
        {"request": {"model": "m", "messages": "no list"}},
        {"usage": {}},
        {"request": [1], "response": [None]},
    ],
)
def test_what_is_no_request_is_a_problem_with_its_line(tmp_path, record):
    (problem,) = read(tmp_path, record)

    assert isinstance(problem, Problem)
    assert problem.line == 1
