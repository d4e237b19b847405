import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from importers.fixture_pairs import cases_of, read
from modicum.calls import Basis, Call, Usage
from modicum.importers.agents.claude_headless import NAME
from modicum.ledger.booking import book, newest_calls
from modicum.metering.prices import PriceBook


def transcript(folder):
    """The session of the fixture `stream.jsonl` as Claude Code's own log has it, with more output than the stream."""
    stream = next(case for case in cases_of("claude-headless") if case.name == "stream.jsonl")
    rows = [json.loads(line) for line in stream.read_text().splitlines()]
    own = [
        {
            "parentUuid": None,
            "isSidechain": bool(row["parent_tool_use_id"]),
            "sessionId": row["session_id"],
            "cwd": "/home/ada/shop",
            "gitBranch": "cart",
            "timestamp": row["timestamp"],
            **{name: row[name] for name in ("type", "uuid", "message")},
        }
        for row in rows
        if row["type"] == "assistant"
    ]
    own[0]["message"]["usage"]["output_tokens"] = 30
    path = folder / "ses-2.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in own))
    return stream, path


@pytest.mark.parametrize("order", [1, -1])
def test_a_stream_beside_its_transcript_is_counted_once(order, tmp_path):
    stream, own = transcript(tmp_path)

    calls, problems = read([stream, own][::order])

    standing = newest_calls(calls)
    by_source = {
        source: {call.call_id for call in standing if call.source == source} for source in ("claude-code", NAME)
    }
    haiku = "claude-headless:ses-2:u-2:claude-haiku-4-5-20251001"
    assert problems == []
    assert by_source["claude-code"] | by_source[NAME] == {"msg_01A", "msg_01B", "msg_01S", haiku}
    assert "msg_01A" in by_source["claude-code"]  # its output is further on
    assert sum(call.usage.completion_tokens for call in standing) == 30 + 2 + 1 + 20


def test_a_result_is_left_out_for_the_models_whose_calls_a_transcript_or_a_stream_holds(tmp_path):
    stream, own = transcript(tmp_path)
    result = tmp_path / "result.json"
    result.write_text(stream.read_text().splitlines()[-1])

    alone, _ = read([result])
    with_transcript, _ = read([own, result])
    with_stream, _ = read([result, stream])
    streamed, _ = read([stream])

    assert {call.model.split("-")[1]: call.usage.total_tokens for call in alone} == {"opus": 40937, "haiku": 320}
    assert [call.model for call in with_transcript if call.source == NAME] == ["claude-haiku-4-5-20251001"]
    # The stream's own rest, and the small model's sum under the same id from both.
    assert sum(call.usage.total_tokens for call in newest_calls(with_stream)) == 40937 + 320
    assert {call.call_id for call in with_stream} == {call.call_id for call in streamed}


def test_a_run_whose_messages_are_more_than_its_result_has_no_rest(tmp_path):
    stream, _ = transcript(tmp_path)
    rows = stream.read_text().splitlines()
    result = json.loads(rows[-1])
    result["modelUsage"]["claude-opus-4-5-20251101"]["cacheReadInputTokens"] = 5
    path = tmp_path / "run.jsonl"
    path.write_text("\n".join([*rows[:-1], json.dumps(result)]))

    calls, _ = read([path])

    assert [call.place for call in calls if call.place] == ["run"]


def test_an_array_and_a_stream_with_byte_order_mark_are_read_alike(tmp_path):
    stream, _ = transcript(tmp_path)
    rows = stream.read_text().splitlines()
    (tmp_path / "array.json").write_text(f"[{','.join(rows)}]")
    (tmp_path / "marked.jsonl").write_text("\ufeff" + "\n".join(rows))

    expected, _ = read([stream])
    array, _ = read([tmp_path / "array.json"])
    marked, _ = read([tmp_path / "marked.jsonl"])

    assert array == marked == expected


def test_a_sum_in_a_model_with_context_steps_is_exact_only_below_the_first():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    model = "claude-sonnet-4-5-20250929"

    def cost(prompt, place):
        usage = Usage(input_uncached=prompt)
        return book(
            Call(call_id="x", source=NAME, provider="anthropic", model=model, started=at, usage=usage, place=place),
            PriceBook(),
        ).cost

    assert (cost(150_000, "run").basis, cost(150_000, "run").usd) == (Basis.EXACT, Decimal("0.45"))
    assert (cost(900_000, "run").basis, cost(900_000, "run").usd) == (Basis.ESTIMATED, Decimal("2.7"))
    assert cost(900_000, "").usd == Decimal("5.4")
    assert cost(1_000, "rest").basis is Basis.ESTIMATED


def test_a_number_that_nobody_knows_makes_a_sum_inexact(tmp_path):
    part = {"inputTokens": 5, "outputTokens": 6, "holograms": 2}
    row = {"type": "result", "session_id": "s", "num_turns": 1, "usage": {}, "modelUsage": {"claude-haiku-4-5": part}}
    (tmp_path / "r.json").write_text(json.dumps(row))

    calls, _ = read([tmp_path / "r.json"])

    assert calls[0].charges.caveats == ("modelUsage.holograms",)
