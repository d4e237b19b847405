import pytest

from modicum.statistics.student import t_quantile


@pytest.mark.parametrize(
    ("probability", "degrees", "table"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 10, 2.2281), (0.95, 5, 2.015), (0.995, 30, 2.75)],
)
def test_students_t_is_that_of_the_tables(probability, degrees, table):
    assert t_quantile(probability, degrees) == pytest.approx(table, abs=5e-5)
