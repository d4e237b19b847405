from modicum.ledger_process.watching.watched_owners import watched_owner


def test_a_name_becomes_one_in_each_dimension():
    assert watched_owner((("team", ""),), "a\x1fb").names == (("team", "a\x1fb"),)
    assert watched_owner((("team", ""), ("tag", "kind")), "a\x1freview").names == (
        ("team", "a"),
        ("tag:kind", "review"),
    )
