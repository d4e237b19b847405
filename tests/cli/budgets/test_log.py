def test_where_nothing_was_raised_one_reads_how_to(modicum):
    assert "'modicum budget raise --help' shows how" in modicum("budget", "log").out
