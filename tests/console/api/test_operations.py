from modicum.console.api.operations import OPERATIONS


def test_what_changes_something_takes_an_editor_and_its_scope():
    for one in OPERATIONS:
        if one.method != "GET":
            assert one.rule.least == "editor", one.path
            assert one.rule.scope != "read", one.path


def test_operations_have_addresses_of_their_own():
    assert len({(one.method, one.path) for one in OPERATIONS}) == len(OPERATIONS)
    assert all(one.summary for one in OPERATIONS)
