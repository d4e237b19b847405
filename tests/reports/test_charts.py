import re
import sys

from modicum.reports.charts import draw_bars, draw_curve, draw_stacked, draw_timeline, format_usd
from modicum.reports.figures import format_tokens


def texts(svg):
    return re.findall(r">([^<>]+)<", svg)


def test_money_and_tokens_as_people_write_them():
    assert [format_usd(usd) for usd in (0.5, 12.345, 1234.5)] == ["$0.50", "$12.35", "$1,234"]
    assert [format_usd(usd) for usd in (0.0, 0.00468, -0.0018)] == ["$0.00", "$0.0047", "-$0.0018"]
    assert [format_tokens(count) for count in (0, 950, 999.7, 41_300, 999_700, 16e6, 2.5e9)] == [
        "0",
        "950",
        "1 k",
        "41.3 k",
        "1 M",
        "16 M",
        "2.5 G",
    ]


def test_bars_name_what_they_are_and_how_much():
    found = texts(draw_bars([("tool results", 381.0), ("replies", 26.7)]))

    assert found == ["tool results", "$381 ", "93 %", "replies", "$26.70 ", "7 %"]


def test_curve_and_stack_show_their_places_and_series():
    assert "2,000" in texts(draw_curve([("1,000", 25.0), ("2,000", 19.0)], str, "tokens"))
    assert "read from cache" in texts(draw_stacked(["01-01", "01-02"], {"read from cache": [1.0, 2.0]}, format_tokens))


def test_every_drawing_is_there_for_a_desk_and_for_a_telephone():
    drawn = draw_curve([("1,000", 25.0)], str, "tokens")

    assert re.findall(r'<div class="(\w+)"><svg', drawn) == ["wide", "narrow"]


def test_of_many_days_only_some_are_named():
    labels = [f"{day:02}" for day in range(60)]
    shown = [text for text in texts(draw_stacked(labels, {"tokens": [1.0] * 60}, format_tokens)) if text in labels]

    assert {"00", "06", "54", "45"} <= set(shown)  # every 6th at a desk, every 15th on a telephone
    assert "01" not in shown


def test_marks_on_a_timeline_carry_their_reason():
    svg = draw_timeline({"prompt": [(1.0, 10.0), (2.0, 20.0)]}, [(2.0, 5.0, "a pause of 20 minutes")], "call")

    assert "a pause of 20 minutes" in svg


def test_a_chart_brings_no_script_and_fetches_nothing():
    svg = draw_curve([("a", 1.0)], str, "")

    assert "<script" not in svg
    assert not re.search(r"(?:src|href)=", svg)


def test_the_library_leaves_no_import_hook_behind():
    draw_curve([("a", 1.0)], str, "")

    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)
