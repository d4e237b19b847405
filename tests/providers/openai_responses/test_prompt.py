from providers.prompt_rig import only, prompt, told


def test_a_response_that_is_given_one_text_has_nothing_to_leave_out():
    found = prompt("openai-responses", input="the task", instructions="be brief")

    assert (told(found), found.system) == ([("system", "", "be brief", set())], "be brief")
    assert only(found, []) is None
