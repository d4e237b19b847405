from modicum.providers.anthropic_messages.model_list import MODEL_LIST


def test_a_list_is_read_and_written():
    (model,) = MODEL_LIST.read(b'{"data":[{"id":"claude-x","created_at":"2026-02-05T00:00:00Z"}]}')
    assert (model.name, model.created_s) == ("claude-x", 1770249600)
    assert MODEL_LIST.one("b", model)["created_at"] == "2026-02-05T00:00:00Z"
    assert MODEL_LIST.one("b")["created_at"] == "1970-01-01T00:00:00Z"
    whole = MODEL_LIST.whole([{"id": "a"}, {"id": "b"}])
    assert (whole["first_id"], whole["last_id"], whole["has_more"]) == ("a", "b", False)
    assert MODEL_LIST.whole([])["first_id"] is None
    assert MODEL_LIST.created_s({"created_at": "soon"}) == 0
