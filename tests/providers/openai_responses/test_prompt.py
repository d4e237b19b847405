from providers.prompt_rig import prompt


def test_a_response_that_is_given_one_text_has_nothing_to_leave_out():
    found = prompt("openai-responses", input="the task", instructions="be brief")

    assert (found.units, found.system) == ([], "be brief")
    assert found.with_only([]) is None
