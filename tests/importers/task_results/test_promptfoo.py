from importers.task_results.reading import read, written


def row(number, provider="openai:gpt-5", *, success=True, question="a", prompt="p1", **fields):
    return {
        "testIdx": number,
        "promptIdx": 0,
        "vars": {"question": question},
        "provider": {"id": provider, "label": ""},
        "prompt": {"raw": prompt, "label": prompt},
        "response": {"output": "x", "tokenUsage": {"prompt": 30, "completion": 5, "total": 35}},
        "success": success,
        "score": 0.5,
        "namedScores": {"tone": 0.25},
        "latencyMs": 1200,
        "cost": 0.002,
        **fields,
    }


def document(*rows):
    return {"evalId": "e", "results": {"version": 3, "results": list(rows), "stats": {}}, "config": {}}


def test_a_row_is_a_run_of_its_question(tmp_path):
    rows = document(row(0), row(1, "anthropic:opus", success=False), row(2, question="b"))

    results, problems = read(written(tmp_path / "r.json", rows))

    assert problems == []
    assert [(each.arm, each.outcome) for each in results] == [
        ("openai:gpt-5", 1.0),
        ("anthropic:opus", 0.0),
        ("openai:gpt-5", 1.0),
    ]
    assert results[0].task == results[1].task != results[2].task
    assert (results[0].prompt_tokens, results[0].completion_tokens) == (30, 5)
    assert (results[0].cost_usd, results[0].seconds) == (0.002, 1.2)


def test_several_prompts_are_arms_of_their_own(tmp_path):
    path = written(tmp_path / "r.json", document(row(0), row(0, prompt="p2"), row(0, prompt="long " * 30)))

    arms = [each.arm for each in read(path)[0]]
    assert arms[:2] == ["openai:gpt-5 | p1", "openai:gpt-5 | p2"]
    assert len(arms[2]) < 70
    assert [each.arm for each in read(path, by="prompt")[0]][:2] == ["p1", "p2"]
    assert {each.arm for each in read(path, by="model")[0]} == {"openai:gpt-5"}


def test_a_reply_from_the_cache_took_what_nobody_knows(tmp_path):
    cached = {"output": "x", "cached": True, "tokenUsage": {"cached": 35, "total": 35}}

    (found,), problems = read(written(tmp_path / "r.json", document(row(0, response=cached, cost=0))))

    assert (found.outcome, found.cost_usd, found.total_tokens, found.seconds) == (1.0, None, None, None)
    assert problems == ["1 reply came from promptfoo's cache: what they took is unknown"]


def test_scores_grade_where_they_are_asked_for(tmp_path):
    path = written(tmp_path / "r.json", document(row(0)))

    assert [read(path, outcome=name)[0][0].outcome for name in ("score", "tone", "success", "x")] == [
        0.5,
        0.25,
        1.0,
        None,
    ]
