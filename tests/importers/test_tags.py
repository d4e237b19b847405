from modicum.importers.tags import named, tags


def test_tags_are_named_or_true_and_never_content():
    assert tags(["team:search", "nightly", "a=b", "x" * 500, 7]) == {
        "team": "search",
        "nightly": "true",
        "a": "b",
        "7": "true",
    }
    assert named(name="chat", empty="", long="x" * 500) == {"name": "chat"}
