import numpy as np

from modicum.insights.finding import HistoryChange


def test_a_change_without_parts_is_none():
    assert HistoryChange().is_nothing
    assert not HistoryChange(tier="batch").is_nothing
    assert not HistoryChange(models={"a": "b"}).is_nothing
    assert not HistoryChange(pings=np.zeros(1, dtype=np.int64)).is_nothing
