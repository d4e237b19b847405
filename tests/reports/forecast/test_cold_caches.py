import pytest

from modicum.reports.forecast.cold_caches import ColdCache, find_cold_cache

MILLION = 1_000_000


def test_a_fall_of_the_share_that_is_read_is_found():
    found = find_cold_cache([2 * MILLION] * 15, [MILLION] * 14 + [MILLION // 5])

    assert found == ColdCache(0.1, 0.5)


@pytest.mark.parametrize(
    ("prompts", "reads"),
    [
        ([2 * MILLION] * 15, [MILLION] * 15),
        ([2 * MILLION] * 15, [MILLION // 4] * 14 + [0]),
        ([2 * MILLION] * 14 + [1000], [MILLION] * 14 + [0]),
        ([2 * MILLION] * 7, [MILLION] * 6 + [0]),
        ([0] * 14 + [2 * MILLION], [0] * 15),
    ],
)
def test_usual_days_little_traffic_and_short_histories_are_none(prompts, reads):
    assert find_cold_cache(prompts, reads) is None
