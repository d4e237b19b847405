from modicum.calls.task_result import total_of


def test_a_total_is_known_only_where_both_parts_are():
    assert total_of(3, 4) == 7
    assert total_of(0, 0) == 0
    assert total_of(None, 4) is None
    assert total_of(3, None) is None
