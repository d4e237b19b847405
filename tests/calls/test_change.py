from modicum.calls.change import NO_CHANGE, Change, OwnTool


def test_what_a_change_is_of():
    assert NO_CHANGE.is_nothing
    assert Change(why="nothing").is_nothing
    assert Change(left_out=frozenset({1})).is_of_prompt
    assert Change(replaced={1: "x"}).is_of_prompt
    capped = Change(most_output_tokens=0)
    assert (capped.is_of_prompt, capped.is_of_body, capped.is_nothing) == (False, True, False)
    moved = Change(model="gpt-4o")
    assert (moved.is_of_body, moved.is_nothing) == (False, False)
    assert Change(effort="low").is_of_body


def test_the_tokens_of_a_tool_are_those_of_all_that_is_sent_of_it():
    short, long = OwnTool("a", "b", {}), OwnTool("a", "b" * 400, {"type": "object"})

    assert 0 < short.tokens < 20
    assert long.tokens - short.tokens > 95
