import json

from importers.fixture_pairs import cases_of, read


def test_a_thread_whose_rollout_is_read_too_is_counted_from_it_alone(tmp_path):
    run = next(case for case in cases_of("codex-exec") if case.name == "turns.jsonl")
    thread = "0199a213-81c0-7800-8aa1-bbab2a035a53"
    counts = {"input_tokens": 24763, "cached_input_tokens": 24448, "output_tokens": 122, "total_tokens": 24885}
    rows = [
        ("session_meta", {"id": thread, "model_provider": "openai"}),
        ("turn_context", {"model": "gpt-5.1-codex"}),
        ("event_msg", {"type": "token_count", "info": {"total_token_usage": counts, "last_token_usage": counts}}),
    ]
    own = tmp_path / "rollout.jsonl"
    lines = [
        {"timestamp": f"2026-01-01T10:00:0{second}Z", "type": kind, "payload": payload}
        for second, (kind, payload) in enumerate(rows)
    ]
    own.write_text("".join(json.dumps(line) + "\n" for line in lines))

    both, _ = read([run, own])

    assert [(call.source, call.model) for call in both] == [("codex", "gpt-5.1-codex")]


def test_a_resumed_thread_is_one_record_that_grows(tmp_path):
    def part(name, prompt):
        rows = [
            {"type": "thread.started", "thread_id": "t-9"},
            {"type": "turn.completed", "usage": {"input_tokens": prompt, "cached_input_tokens": 0, "output_tokens": 1}},
        ]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    part("1.jsonl", 100)
    part("2.jsonl", 350)

    before, _ = read([tmp_path / "1.jsonl"])
    after, _ = read([tmp_path / "2.jsonl"])

    assert [(call.call_id, call.revision) for call in before + after] == [
        ("codex-exec:t-9", 101),
        ("codex-exec:t-9", 351),
    ]


def test_a_run_that_was_cut_off_before_its_first_turn_ended_is_a_problem(tmp_path):
    (tmp_path / "r.jsonl").write_text('{"type":"thread.started","thread_id":"t"}\n{"type":"turn.started"}\n')

    calls, problems = read([tmp_path])

    assert calls == []
    assert "nothing to count" in problems[0]
