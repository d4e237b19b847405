import re

import pytest

from modicum.console.charts import MOST_COLUMNS, Series, draw_columns, draw_lines, nice_top


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (0.7, 1), (1, 1), (1.1, 2), (2.3, 2.5), (7, 10), (0.00042, 0.0005), (123456, 200000)]
)
def test_an_axis_ends_at_a_number_that_a_person_would_choose(most, top):
    assert nice_top(most) == pytest.approx(top)
    assert nice_top(float("inf")) == nice_top(float("nan")) == 1


def test_columns_have_every_value_in_their_hints_and_no_markup_of_names():
    drawn = draw_columns(
        ["d1", "d2"], [Series("<b>", [1, 2]), Series("", [3, 0])], lambda value: f"${value:.2f}", "a & b"
    )

    assert "d1: $4.00\n&lt;b&gt;: $1.00\n(none): $3.00" in drawn
    assert "<b>" not in drawn
    assert 'aria-label="a &amp; b"' in drawn
    assert "style=" not in drawn


def test_many_days_are_summed_so_that_columns_can_be_seen():
    labels = [f"d{number}" for number in range(1000)]
    drawn = draw_columns(labels, [Series("a", [1.0] * 1000)], str, "t")

    assert drawn.count('class="hover"') <= 2 * MOST_COLUMNS
    assert "d0 to d10: 11.0" in drawn


def test_columns_stand_on_each_other_and_end_at_the_ground():
    drawn = draw_columns(["d"], [Series("a", [2]), Series("b", [3])], str, "t")
    (low, high) = re.findall(r'class="c[12]" d="M[\d.]+ ([\d.]+)h[\d.]+v([\d.]+)', drawn)[:2]

    assert float(high[0]) + float(high[1]) == pytest.approx(float(low[0]), abs=0.11)
    assert float(low[0]) + float(low[1]) == pytest.approx(200 - 22, abs=0.11)


def test_lines_and_charts_of_nothing_are_drawn():
    assert draw_lines(["a", "b"], [Series("x", [1, 2])], str, "t").count('class="line c1"') == 2
    assert "svg" in draw_columns([], [], str, "t")
    assert "svg" in draw_lines([], [Series("x", [])], str, "t")
