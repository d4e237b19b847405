from modicum.reports.plain_page import render_plain_page, render_table, render_tiles


def test_a_page_holds_its_parts_and_nothing_that_runs():
    page = render_plain_page("<b>", ["<p>one</p>", "", render_tiles([("$1", "<i>")])])

    assert "<title>&lt;b&gt;</title>" in page
    assert "<p>one</p>\n<div" in page
    assert "&lt;i&gt;" in page
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_a_table_has_its_text_on_the_left_and_its_sum_at_the_end():
    table = render_table("T", "L", [["name", "usd"], ["<x>\n", "$1"]], total=["total", "$1"])

    assert '<td class="text">&lt;x&gt;' in table
    assert "<td>$1</td></tr></tbody><tfoot><tr><td class" in table
    assert "<tfoot>" not in render_table("T", "L", [["name"], ["a"]])
