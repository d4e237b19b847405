from modicum.providers.gemini.errors import error_object


def test_an_error_has_googles_word_and_ours():
    error = error_object(429, "spent", "budget_exceeded")
    assert (error["code"], error["status"], error["details"][0]["reason"]) == (
        429,
        "RESOURCE_EXHAUSTED",
        "BUDGET_EXCEEDED",
    )
    assert [error_object(status, "", "")["status"] for status in (599, 418)] == ["INTERNAL", "FAILED_PRECONDITION"]
