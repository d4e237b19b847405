def test_what_is_not_raised_is_not_lowered(modicum):
    ran = modicum("budget", "lower", "team-month")

    assert (ran.status, "'modicum budget log' shows what was" in ran.err) == (2, True)
