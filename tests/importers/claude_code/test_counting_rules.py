import json

from modicum.importers.claude_code.counting_rules import counted, output_replaced


def row(message_id, output, *, progress=False, prompt=100):
    usage = {"input_tokens": prompt, "output_tokens": output}
    inner = {
        "type": "assistant",
        "timestamp": "2026-02-03T00:00:00Z",
        "message": {"id": message_id, "model": "claude-x", "usage": usage},
    }
    frame = {"sessionId": "s", "parentUuid": None, "timestamp": "2026-02-03T00:00:00Z"}
    return frame | ({"data": {"agentId": "a", "message": inner}} if progress else inner)


def test_the_ways_differ_as_tools_do(tmp_path):
    path = tmp_path / "s.jsonl"
    rows = [row("msg_1", 1), row("msg_1", 30), row("msg_1", 20), row("msg_2", 5), row("msg_3", 7, progress=True)]
    path.write_text("\n".join(map(json.dumps, rows)))

    ways = counted([path]).ways

    totals = {way: (len(calls), sum(c.usage.completion_tokens for c in calls)) for way, calls in ways.items()}
    assert totals == {
        "every_row": (5, 63),
        "first_row": (3, 13),
        "greatest_row": (3, 42),
        "greatest_row_without_progress": (2, 35),
    }
    assert [c.usage.output_visible for c in output_replaced(ways["greatest_row"], {"msg_2": 50})] == [30, 50, 7]


def test_the_same_call_in_two_files_is_summed_only_by_the_row_counters(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row("msg_1", 3)))

    ways = counted(sorted(tmp_path.iterdir())).ways

    assert [len(ways[way]) for way in ("every_row", "first_row", "greatest_row")] == [2, 1, 1]
