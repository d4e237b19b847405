import json

from importers.fixture_pairs import cases_of, read


def test_an_event_whose_call_stands_in_the_transcript_is_left_out(tmp_path):
    log = next(case for case in cases_of("otlp") if case.name == "log_records.jsonl")
    usage = {
        "input_tokens": 12,
        "output_tokens": 1,
        "cache_read_input_tokens": 40_000,
        "cache_creation_input_tokens": 1_200,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_200},
    }
    row = {
        "parentUuid": None,
        "isSidechain": False,
        "sessionId": "cc-1",
        "type": "assistant",
        "timestamp": "2026-03-02T12:20:10Z",
        "message": {"id": "msg_01X", "model": "claude-opus-4-5", "usage": usage},
    }
    own = tmp_path / "cc-1.jsonl"
    own.write_text(json.dumps(row) + "\n")

    alone, _ = read([log])
    both, _ = read([log, own])

    assert {call.call_id for call in alone} - {call.call_id for call in both} == {"otlp:req_011CU"}
    assert {call.call_id for call in both} - {call.call_id for call in alone} == {"msg_01X"}
