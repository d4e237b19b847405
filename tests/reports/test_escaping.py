from modicum.reports.escaping import escape


def test_nothing_is_markup_and_nothing_steers():
    assert escape('<b a="1">&') == "&lt;b a=&quot;1&quot;&gt;&amp;"
    assert escape("a\u202eb\rc\nd") == r"a\u202eb\rc" + "\nd"
