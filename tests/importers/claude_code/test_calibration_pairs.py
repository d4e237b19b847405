import json

from modicum.calls import Problem
from modicum.importers.claude_code.calibration_pairs import steps

MODEL = "claude-opus-4-6"
READ = {"type": "tool_use", "name": "Read", "input": {"file_path": "/a/b.py"}}
RESULT = {"type": "tool_result", "content": "x = 1"}


def call(number, prompt, *blocks, model=MODEL, **row):
    usage = {"input_tokens": 3, "cache_read_input_tokens": prompt - 5, "cache_creation_input_tokens": 2}
    message = {"id": f"msg_{number}", "model": model, "content": list(blocks), "usage": usage}
    return {"type": "assistant", "message": message, **row}


def user(*blocks, **row):
    return {"type": "user", "message": {"content": list(blocks)}, **row}


def found(tmp_path, *rows, seen=None):
    path = tmp_path / "session.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(steps(path, set() if seen is None else seen))


def test_a_tool_call_and_its_result_are_one_step(tmp_path):
    text = {"type": "text", "text": "Let me look."}
    rows = [call(1, 1000, text), call(1, 1000, READ), user(RESULT), call(2, 1100, text)]

    (step,) = found(tmp_path, *rows)

    assert step.texts == ("Let me look.", "Read", "file_path", "/a/b.py", "x = 1")
    assert (step.prompt_growth_tokens, step.model, step.session, step.content) == (100, MODEL, "session", "code")
    assert step.pair(len).raw_tokens == sum(map(len, step.texts))


def test_code_in_a_parameter_is_counted_as_the_model_gets_it_and_not_escaped(tmp_path):
    edit = {"type": "tool_use", "name": "Edit", "input": {"file_path": "b.py", "new_string": 'a = "1"\n', "times": 2}}
    rows = [call(1, 1000, edit), user(RESULT), call(2, 1100)]

    (step,) = found(tmp_path, *rows)

    assert step.texts == ("Edit", "file_path", "new_string", "times", "b.py", 'a = "1"\n', "2", "x = 1")
    assert (step.tool_calls, step.parameters) == (1, 3)
    assert (step.pair(len).tool_calls, step.pair(len).parameters) == (1, 3)


def test_words_that_were_answered_by_words_are_prose(tmp_path):
    said = {"type": "text", "text": "Done."}
    rows = [call(1, 1000, said), {"type": "user", "message": {"content": "Thanks."}}, call(2, 1009, said)]

    (step,) = found(tmp_path, *rows)

    assert (step.texts, step.content) == (("Done.", "Thanks."), "prose")
    assert (step.tool_calls, step.parameters) == (0, 0)


def test_the_tool_says_what_kind_its_output_is(tmp_path):
    shell = {"type": "tool_use", "name": "Bash", "input": {"command": "ls"}}
    rows = [call(1, 100, shell), user(RESULT), call(2, 200, READ), user(RESULT), call(3, 300)]

    assert [step.content for step in found(tmp_path, *rows)] == ["output", "code"]


def test_subagents_are_conversations_of_their_own(tmp_path):
    def inside(row):
        return {"type": "progress", "data": {"agentId": "a1", "message": row}}

    rows = [call(1, 5000, READ), inside(call(2, 100, READ)), inside(user(RESULT)), inside(call(3, 130)), user(RESULT)]

    assert [step.prompt_growth_tokens for step in found(tmp_path, *rows, call(4, 5040))] == [30, 40]


def test_steps_that_hold_more_than_the_log_shows_are_left_out(tmp_path):
    thought = {"type": "thinking", "thinking": "Hm."}
    image = {"type": "tool_result", "content": [{"type": "image"}]}
    between = {
        "thinking": [call(1, 100, thought, READ), user(RESULT)],
        "two results": [call(1, 100, READ, READ), user(RESULT), user(RESULT)],
        "words beside the result": [call(1, 100, READ), user(RESULT, {"type": "text", "text": "and"})],
        "an image": [call(1, 100, READ), user(image)],
        "a meta row": [call(1, 100, READ), user(RESULT), user(RESULT, isMeta=True)],
        "a compaction": [call(1, 100, READ), {"type": "system", "subtype": "compact_boundary"}, user(RESULT)],
        "another model": [call(1, 100, READ, model="claude-haiku-4-5"), user(RESULT)],
        "a message by the client": [call(1, 100, READ), user(RESULT), call(9, 0, model="<synthetic>")],
        "a prompt that shrank": [call(1, 900, READ), user(RESULT)],
    }

    assert [name for name, rows in between.items() if found(tmp_path, *rows, call(2, 500))] == []


def test_a_call_that_another_file_had_already_is_not_used_again(tmp_path):
    rows = [call(1, 100, READ), user(RESULT), call(2, 200)]
    seen = set()

    assert len(found(tmp_path, *rows, seen=seen)) == 1
    assert found(tmp_path, *rows, seen=seen) == []


def test_rows_of_unknown_shape_are_problems_with_their_line(tmp_path):
    rows = [{"type": "assistant", "message": {"content": []}}, {"type": "user", "message": "text"}, {"type": "other"}]

    problems = found(tmp_path, *rows)

    assert all(isinstance(problem, Problem) for problem in problems)
    assert [problem.line for problem in problems] == [1, 2]
